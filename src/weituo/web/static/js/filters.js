// Keeps named filters of a list in this browser, one set a person and page: the filter is the address, so a name and its query suffice.
(() => {
  "use strict";
  const box = document.querySelector("[data-kept]");
  if (!box) return;
  const place = `weituo:filters:${box.dataset.kept}`;
  const list = box.querySelector("[data-kept-list]");
  const form = box.querySelector("[data-kept-form]");
  const MOST = 20;

  const read = () => {
    try {
      const found = JSON.parse(localStorage.getItem(place) || "[]");
      return Array.isArray(found) ? found.filter((one) => typeof one.name === "string" && typeof one.query === "string") : [];
    } catch {
      return [];
    }
  };
  const write = (kept) => localStorage.setItem(place, JSON.stringify(kept.slice(-MOST)));

  // the query without what is empty and without the page
  const present = () => {
    const query = new URLSearchParams(location.search);
    query.delete("page");
    for (const [name, value] of [...query]) if (!value) query.delete(name, value);
    return query.toString();
  };

  const show = () => {
    const kept = read();
    const here = present();
    list.replaceChildren(
      ...kept.map((one) => {
        const item = document.createElement("li");
        const link = document.createElement("a");
        link.href = `?${one.query}`;
        link.textContent = one.name;
        if (one.query === here) link.setAttribute("aria-current", "true");
        const drop = document.createElement("button");
        drop.type = "button";
        drop.className = "link";
        drop.textContent = "×";
        drop.setAttribute("aria-label", `${box.dataset.drop}: ${one.name}`);
        drop.addEventListener("click", () => {
          write(read().filter((other) => other.name !== one.name));
          show();
        });
        item.append(link, drop);
        return item;
      }),
    );
    form.hidden = !here || here === "sort=" || kept.some((one) => one.query === here);
    box.hidden = form.hidden && !kept.length;
    list.hidden = !kept.length;
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const field = form.querySelector("input");
    const name = field.value.trim();
    if (!name) return;
    write([...read().filter((one) => one.name !== name), { name, query: present() }]);
    field.value = "";
    show();
    const saved = list.querySelector("[aria-current]");
    if (saved) saved.focus();
  });
  show();
})();
