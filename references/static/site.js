/* What makes the pages handier. Everything works without it. */
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("scripted");

  const live = document.querySelector("[data-live]");
  let silence;
  const say = (words) => {
    live.textContent = words;
    clearTimeout(silence);
    silence = setTimeout(() => { live.textContent = ""; }, 2500);
  };

  // A result is told when it enters the page, not when it is in it from the start.
  const results = document.querySelector(".messages");
  if (results) setTimeout(() => results.replaceChildren(...results.children), 100);

  const copyText = async (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    // Without encryption browsers offer no clipboard, only this.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("not copied");
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-block]");
    if (!button) return;
    const text = button.dataset.copy ?? button.closest(".code").querySelector("pre").textContent;
    try {
      await copyText(text);
      button.classList.add("is-done");
      setTimeout(() => button.classList.remove("is-done"), 1500);
      say("Copied");
    } catch {
      say("Could not be copied");
    }
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });

  // An empty search leaves no trace in the address.
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-filter-form]")) return;
    for (const field of event.target.elements) {
      if (field.name && field.value === "") field.disabled = true;
    }
  });
  // Whoever comes back sees the list of that address, and beside it what it was asked for.
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll("[data-filter-form]")) {
      form.reset();
      for (const field of form.elements) field.disabled = false;
    }
  });

  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    const search = document.querySelector("[data-search]");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  });

  // The theme changes at once; the cookie is the one that the form's answer would set.
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-theme-form]") || !event.submitter) return;
    event.preventDefault();
    const chosen = event.submitter.value;
    const isChoice = chosen === "light" || chosen === "dark";
    if (isChoice) root.dataset.theme = chosen;
    else delete root.dataset.theme;
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `theme=${isChoice ? chosen : ""}; path=/; max-age=${isChoice ? 31536000 : 0}; samesite=lax${secure}`;
    for (const button of event.target.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button === event.submitter));
    }
  });

  const picturesOf = (link) => [...link.closest("[data-gallery]").querySelectorAll("a:has(img)")];
  const enlarge = (link) => {
    const dialog = document.createElement("dialog");
    dialog.className = "dialog";
    dialog.setAttribute("aria-label", "Picture");
    const image = document.createElement("img");
    const bar = document.createElement("div");
    bar.className = "dialog-bar";
    let links = picturesOf(link);
    let index = links.indexOf(link);
    const show = (step) => {
      index = (index + step + links.length) % links.length;
      image.src = links[index].href;
      image.referrerPolicy = "no-referrer";
      image.alt = links[index].querySelector("img").alt;
    };
    const button = (label, action) => {
      const made = document.createElement("button");
      made.type = "button";
      made.className = "button";
      made.textContent = label;
      made.addEventListener("click", action);
      bar.append(made);
    };
    if (links.length > 1) button("Previous", () => show(-1));
    button("Close", () => dialog.close());
    if (links.length > 1) button("Next", () => show(1));
    dialog.append(image, bar);
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "ArrowLeft") show(-1);
      if (event.key === "ArrowRight") show(1);
    });
    dialog.addEventListener("close", () => { dialog.remove(); link.focus(); });
    show(0);
    document.body.append(dialog);
    dialog.showModal();
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-gallery] a");
    if (!link || !link.querySelector("img") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    enlarge(link);
  });
})();
