// Sets light or dark before the page is drawn: the person's choice, else the device's.
(() => {
  "use strict";
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const ORDER = ["auto", "light", "dark"];

  const chosen = () => {
    try {
      const kept = localStorage.getItem("theme");
      return ORDER.includes(kept) ? kept : "auto";
    } catch {
      return "auto"; // storage is closed to this page: follow the device
    }
  };

  const apply = (theme) => {
    root.dataset.theme = theme;
    root.dataset.bsTheme = theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
    document.dispatchEvent(new CustomEvent("weituo:theme"));
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      const label = button.querySelector("span");
      label.textContent = label.dataset[`theme${theme[0].toUpperCase()}${theme.slice(1)}`];
      button.hidden = false;
    }
  };

  apply(chosen());
  dark.addEventListener("change", () => apply(chosen()));
  document.addEventListener("DOMContentLoaded", () => {
    apply(chosen());
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.addEventListener("click", () => {
        const next = ORDER[(ORDER.indexOf(chosen()) + 1) % ORDER.length];
        try {
          localStorage.setItem("theme", next);
        } catch {
          // the choice lasts for this page only
        }
        apply(next);
      });
    }
  });
})();
