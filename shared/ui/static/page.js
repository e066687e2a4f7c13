// What every page may use. Nothing here is needed to read a page or to send a form.
"use strict";

// Times are shown in the reader's zone from the next page on.
const zone = encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone);
document.cookie = `zone=${zone}; path=/; max-age=31536000; samesite=lax`;

// Theme: system, light, dark, and round again.
const themes = ["system", "light", "dark"];
for (const button of document.querySelectorAll("[data-theme-switch]")) {
  const root = document.documentElement;
  const show = (theme) => {
    button.setAttribute("aria-label", button.dataset[theme]);
    button.title = button.dataset[theme];
  };
  button.hidden = false;
  show(root.dataset.theme ?? "system");
  button.addEventListener("click", () => {
    const theme = themes[(themes.indexOf(root.dataset.theme ?? "system") + 1) % themes.length];
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    show(theme);
    try {
      if (theme === "system") localStorage.removeItem("theme");
      else localStorage.setItem("theme", theme);
    } catch { /* storage is blocked: the choice lasts for this page */ }
  });
}

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest(".notice, .toast")?.remove();
});

// A button with data-busy sends its form once and says so; it is itself again when the browser comes back to the page.
const busy = [];
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button?.dataset.busy || event.defaultPrevented) return;
  if (button.getAttribute("aria-disabled") === "true") return event.preventDefault();
  busy.push([button, [...button.childNodes]]);
  button.style.minInlineSize = `${button.offsetWidth}px`;
  button.setAttribute("aria-disabled", "true");
  button.replaceChildren(button.dataset.busy);
});
window.addEventListener("pageshow", () => {
  for (const [button, content] of busy.splice(0)) {
    button.removeAttribute("aria-disabled");
    button.replaceChildren(...content);
  }
});

// A request that failed on our side leaves the page as it was and says so.
function trouble() {
  const toast = document.getElementById("trouble").content.cloneNode(true);
  document.getElementById("toasts").replaceChildren(toast);
}
document.addEventListener("htmx:error", trouble);
document.addEventListener("htmx:response:error", (event) => {
  if (event.detail.ctx.response.status >= 500) trouble();
});
