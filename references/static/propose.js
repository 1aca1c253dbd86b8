/* What makes proposing handier: drafts that survive a closed page, and counts of what is ticked. */
(() => {
  "use strict";
  const WEEK = 7 * 24 * 3600 * 1000;
  const SAVE_AFTER = 300;
  const SENT_WITHIN = 2 * 60 * 1000;

  const age = (milliseconds) => {
    const minutes = Math.round(milliseconds / 60000);
    if (minutes < 1) return "just now";
    if (minutes < 60) return `${minutes} minute${minutes === 1 ? "" : "s"} ago`;
    const hours = Math.round(minutes / 60);
    if (hours < 48) return `${hours} hour${hours === 1 ? "" : "s"} ago`;
    return `${Math.round(hours / 24)} days ago`;
  };

  // Storage may be full, or switched off: then there are no drafts, and all else works.
  const stored = {
    read(key) {
      try {
        const draft = JSON.parse(localStorage.getItem(key));
        return draft && Date.now() - draft.at < WEEK ? draft : null;
      } catch {
        return null;
      }
    },
    write(key, pairs, isSent = false) {
      try {
        localStorage.setItem(key, JSON.stringify({ at: Date.now(), pairs, isSent }));
      } catch {
        /* see above */
      }
    },
    keys() {
      try {
        return Object.keys(localStorage).filter((key) => key.startsWith("draft:"));
      } catch {
        return [];
      }
    },
    remove(key) {
      try {
        localStorage.removeItem(key);
      } catch {
        /* see above */
      }
    },
  };

  const pairsOf = (form) => [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken");

  const keepDraft = (form) => {
    const key = `draft:${form.dataset.draft}:${location.pathname}${location.search}`;
    const untouched = JSON.stringify(pairsOf(form));
    let timer;
    const save = (isSent = false) => {
      clearTimeout(timer);
      timer = undefined;
      stored.write(key, pairsOf(form), isSent);
    };
    form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => save(), SAVE_AFTER);
    });
    addEventListener("pagehide", () => {
      if (timer !== undefined && JSON.stringify(pairsOf(form)) !== untouched) save();
    });
    form.addEventListener("submit", (event) => {
      // Whether it arrived, the page of the change will tell: a session may end at any moment.
      save(event.submitter?.value === "send");
    });
    if ("posted" in form.dataset) return save();

    const left = document.querySelector("[data-draft-left]");
    const draft = stored.read(key);
    if (!left || !draft || JSON.stringify(draft.pairs) === untouched) return;
    left.querySelector("[data-draft-age]").textContent = age(Date.now() - draft.at);
    left.hidden = false;
    left.querySelector("[data-draft-discard]").addEventListener("click", () => {
      stored.remove(key);
      left.hidden = true;
      form.querySelector("input:not([type=hidden]), select, textarea").focus();
    });
    // The service makes the page from what was typed, with as many rows as there were.
    left.querySelector("[data-draft-restore]").addEventListener("click", () => {
      const again = document.createElement("form");
      again.method = "post";
      const step = draft.pairs.find(([name]) => name === "view")?.[1] === "json" ? "json" : "form";
      const token = ["csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value];
      for (const [name, value] of [...draft.pairs, token, ["act", step]]) {
        const field = document.createElement("textarea");
        field.name = name;
        field.value = value;
        again.append(field);
      }
      again.hidden = true;
      document.body.append(again);
      again.submit();
    });
  };

  const countTicks = (form) => {
    const ticks = () => [...document.querySelectorAll(`input[type="checkbox"][form="${form.id}"]`)];
    const all = form.querySelector("[data-selection-all]");
    const allTick = all.querySelector("input");
    const show = () => {
      const on = ticks().filter((tick) => tick.checked).length;
      allTick.checked = on > 0 && on === ticks().length;
      allTick.indeterminate = on > 0 && on < ticks().length;
      for (const count of form.querySelectorAll("[data-selection-count]")) count.textContent = on ? `(${on})` : "";
      for (const button of form.querySelectorAll("button")) button.disabled = on === 0;
    };
    all.hidden = false;
    allTick.addEventListener("change", () => {
      for (const tick of ticks()) tick.checked = allTick.checked;
      show();
    });
    document.addEventListener("change", (event) => {
      if (event.target.getAttribute("form") === form.id) show();
    });
    addEventListener("pageshow", show);
    show();
  };

  // On the page of a change that was sent just now, its draft has done its work.
  const dropSent = (sentAt) => {
    for (const key of stored.keys()) {
      const draft = stored.read(key);
      if (draft?.isSent && Math.abs(draft.at - sentAt) < SENT_WITHIN) stored.remove(key);
    }
  };

  const change = document.querySelector("[data-proposed-at]");
  if (change) dropSent(1000 * change.dataset.proposedAt);
  const proposal = document.querySelector("form[data-draft]");
  if (proposal) keepDraft(proposal);
  const selection = document.querySelector("form[data-selection]");
  if (selection) countTicks(selection);
})();
