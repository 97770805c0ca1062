// Asks before a destructive form is sent. The form says what will happen, in numbers: data-confirm="312 placements will be recalled".
(() => {
  "use strict";
  const dialog = document.getElementById("confirm-dialog");
  if (!dialog) return;
  let waiting = null;

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const button = event.submitter;
    const text = (button && button.dataset.confirm) || form.dataset.confirm;
    if (!text || form.dataset.confirmed === "yes") return;
    event.preventDefault();
    waiting = { form, button };
    dialog.querySelector("[data-confirm-text]").textContent = text;
    dialog.showModal();
  });
  dialog.querySelector("[data-confirm-no]").addEventListener("click", () => dialog.close());
  dialog.querySelector("[data-confirm-yes]").addEventListener("click", () => {
    dialog.close();
    waiting.form.dataset.confirmed = "yes";
    waiting.form.requestSubmit(waiting.button || undefined);
  });
})();
