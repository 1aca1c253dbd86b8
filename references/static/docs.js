// The libraries that show the API's documentation leave dark colours to the page: they are the site's, kept in a
// cookie, or the system's. Swagger UI has its own; Redoc is told some by redoc.js, which asks for the class.
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
