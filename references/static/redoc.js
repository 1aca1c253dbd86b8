// Redoc shows a logo of its makers, from a server of theirs, and no option leaves it out. Nothing but this service is
// asked for anything, so that picture becomes an empty one, which Redoc drops. It sets the address in both ways.
(() => {
  "use strict";
  const allowed = (address) => (String(address).startsWith("https://cdn.redoc.ly/") ? "data:," : address);
  const picture = HTMLImageElement.prototype;
  const { setAttribute } = Element.prototype;
  const src = Object.getOwnPropertyDescriptor(picture, "src");

  picture.setAttribute = function (name, value) {
    setAttribute.call(this, name, name === "src" ? allowed(value) : value);
  };
  Object.defineProperty(picture, "src", {
    ...src,
    set(value) {
      src.set.call(this, allowed(value));
    },
  });
})();

// Redoc takes its colours when it starts, and has none for the dark. These are those of docs.css.
(() => {
  "use strict";
  if (!document.documentElement.classList.contains("dark-mode")) return;
  const ink = "#eceef4";
  const soft = "#b9bfca";
  const paper = "#1c2022";
  const raised = "#262b2e";
  const sunk = "#15181a";
  const rule = "#3a3f47";
  const accent = "#a9b8ff";
  const critical = "#ff9a9a";
  const theme = {
    colors: {
      primary: { main: accent },
      success: { main: "#7fd6a6" },
      warning: { main: "#f0bd6a", contrastText: ink },
      error: { main: critical },
      text: { primary: ink, secondary: soft },
      border: { dark: rule, light: rule },
    },
    schema: {
      nestedBackground: raised,
      linesColor: soft,
      typeNameColor: soft,
      typeTitleColor: soft,
      requireLabelColor: critical,
    },
    typography: {
      code: { color: ink, backgroundColor: raised },
      links: { color: accent, visited: accent, hover: ink },
    },
    sidebar: { backgroundColor: sunk, textColor: ink },
    rightPanel: {
      backgroundColor: sunk,
      servers: { overlay: { backgroundColor: raised, textColor: ink }, url: { backgroundColor: paper } },
    },
    codeBlock: { backgroundColor: "#0e1012" },
    fab: { backgroundColor: raised, color: accent },
  };
  document.querySelector("redoc").setAttribute("theme", JSON.stringify(theme));
})();
