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
