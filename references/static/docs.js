// Swagger UI has dark colours but leaves the choice to the page: it is the site's, kept in a cookie, or the system's.
(() => {
  "use strict";
  const chosen = document.cookie.match(/(?:^|; )theme=(light|dark)/)?.[1];
  const system = matchMedia("(prefers-color-scheme: dark)");
  const show = () => {
    document.documentElement.classList.toggle("dark-mode", chosen ? chosen === "dark" : system.matches);
  };
  show();
  system.addEventListener("change", show);
})();
