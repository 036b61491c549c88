// Before anything is drawn: scripts are there, and the theme that was chosen earlier.
document.documentElement.classList.add("scripted");
(() => {
  "use strict";
  const root = document.documentElement;
  const stored = (value) => {
    // Some browsers refuse storage to local files.
    try {
      if (value) localStorage.setItem("liescope-theme", value);
      return localStorage.getItem("liescope-theme");
    } catch {
      return null;
    }
  };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = stored();
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
  const current = () => root.dataset.theme || (system.matches ? "dark" : "light");
  addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const show = () => {
      button.textContent = current() === "dark" ? "Light theme" : "Dark theme";
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = current() === "dark" ? "light" : "dark";
      stored(root.dataset.theme);
      show();
    });
    system.addEventListener("change", show);
    show();
  });
})();
