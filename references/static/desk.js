/* The desk by keyboard, and choosing many changes at once. Everything works without it. */
(() => {
  "use strict";
  const all = (selector) => [...document.querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);

  /* Choosing */
  const choices = all("[data-choice]");
  const form = one("[data-decide]");
  const counter = one("[data-count]");
  const none = one("[data-choose-none]");
  let latest = null;
  const count = () => {
    if (!counter) return;
    const chosen = choices.filter((box) => box.checked).length;
    counter.textContent = chosen ? `${chosen} chosen` : "None chosen";
    if (none) none.hidden = !chosen;
    for (const box of choices) box.closest("[data-row]").classList.toggle("is-chosen", box.checked);
  };
  const choose = (box, isRange) => {
    if (isRange && latest && latest !== box) {
      const ends = [choices.indexOf(latest), choices.indexOf(box)].sort((a, b) => a - b);
      for (const between of choices.slice(ends[0], ends[1] + 1)) between.checked = box.checked;
    }
    latest = box;
    count();
  };
  for (const box of choices) box.addEventListener("click", (event) => choose(box, event.shiftKey));
  const chooseEvery = (isChosen) => (event) => {
    event.preventDefault();
    for (const box of choices) box.checked = isChosen;
    count();
  };
  one("[data-choose-all]")?.addEventListener("click", chooseEvery(true));
  none?.addEventListener("click", chooseEvery(false));
  count();
  addEventListener("pageshow", count);

  /* Moving */
  const rows = all("[data-row]");
  const here = () => rows.indexOf(document.activeElement.closest?.("[data-row]"));
  const move = (step) => {
    const turn = one(`[data-step="${step > 0 ? "j" : "k"}"]`);
    if (turn) return turn.click();
    if (!rows.length) return;
    const from = here();
    const to = from < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(from + step, 0), rows.length - 1);
    rows[to].querySelector("[data-row-link]").focus();
    rows[to].scrollIntoView({ block: "nearest" });
  };
  const toggle = () => {
    const box = rows[here()]?.querySelector("[data-choice]");
    if (!box) return;
    box.checked = !box.checked;
    choose(box, false);
  };
  // With nothing chosen, the change in hand is meant.
  const chooseHere = () => { if (form && !choices.some((box) => box.checked)) toggle(); };
  const nextView = () => {
    const views = all("[data-views] a");
    const shown = views.findIndex((link) => link.hasAttribute("aria-current"));
    views[(shown + 1) % views.length]?.click();
  };
  const goTo = (name) => one(`[data-go="${name}"]`)?.click();

  const keys = one("[data-keys]");
  const showKeys = () => keys.showModal();
  one("[data-keys-open]").addEventListener("click", showKeys);
  keys.addEventListener("click", (event) => { if (event.target === keys) keys.close(); });

  const search = () => {
    if (one("[data-search]")) return;
    const queue = one("[data-queue]");
    if (queue) location.assign(`${queue.href}#search`);
  };
  if (location.hash === "#search") one("[data-search]")?.focus();

  const acts = {
    j: () => move(1),
    k: () => move(-1),
    x: toggle,
    a: () => { chooseHere(); one("[data-approve]")?.focus(); },
    r: () => { chooseHere(); one(".decide-reject :is(select, textarea)")?.focus(); },
    d: nextView,
    "/": search,
    "?": showKeys,
  };
  let isGoing = false;
  let patience;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (isGoing) {
      isGoing = false;
      clearTimeout(patience);
      if (["q", "b", "p", "a"].includes(event.key)) {
        event.preventDefault();
        goTo(event.key);
        return;
      }
    }
    if (event.key === "g") {
      isGoing = true;
      patience = setTimeout(() => { isGoing = false; }, 1500);
      return;
    }
    const act = Object.hasOwn(acts, event.key) && acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
