/* What makes proposing handier: drafts that survive a closed page, values by their names, and counts of what is ticked. */
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

  // The value of a map's row is asked for as what its name holds.
  const askByName = (map) => {
    const kinds = new Map(Object.entries(JSON.parse(map.dataset.map)));
    const ask = (row) => {
      const value = row.querySelector(".map-value");
      const kind = kinds.get(row.querySelector(".map-name :is(input, select)").value.trim()) ?? "scalar";
      if (value.dataset.kind === kind) return;
      const number = row.id.slice(map.id.length + 1);
      const left = value.querySelector("input, select, textarea");
      if (left.value) value.dataset.typed = left.value;
      const cell = map.querySelector(`template[data-kind="${kind}"]`).content.firstElementChild.cloneNode(true);
      for (const each of cell.querySelectorAll("*")) {
        for (const name of ["id", "name", "aria-describedby"]) {
          const written = each.getAttribute(name);
          if (written) each.setAttribute(name, written.replace(/([-.])new([-.])/, `$1${number}$2`));
        }
      }
      const field = cell.querySelector("input, select, textarea");
      // A choice that does not offer what was typed stays unmade.
      field.value = value.dataset.typed ?? "";
      if (field.selectedIndex === -1) field.value = "";
      value.dataset.kind = kind;
      const isFocused = document.activeElement === left;
      value.querySelector(".map-cell").replaceWith(cell);
      if (isFocused) field.focus();
    };
    map.addEventListener("change", (event) => {
      // Tab moves the focus only after the change, to a field that has to be there still.
      if (event.target.closest(".map-name")) setTimeout(() => ask(event.target.closest(".map-row")));
    });
    for (const row of map.querySelectorAll(".map-row")) ask(row);
  };

  // Where a row was added its first field comes next; where one was removed, the way to another.
  const goOnIn = (place) => {
    if (!place) return;
    const isRow = place.matches(".map-row, .part-row");
    [...place.querySelectorAll(isRow ? "input, select, textarea" : "[value^='add:']")].at(isRow ? 0 : -1)?.focus();
  };

  const countTicks = (form) => {
    const ticks = () => [...document.querySelectorAll(`input[type="checkbox"][form="${form.id}"]`)];
    // Each of these boxes leads many: all of the page, or those that are flagged.
    const leaders = [...form.querySelectorAll("[data-selection-all]")].map((label) => ({
      label,
      box: label.querySelector("input"),
      count: label.querySelector("[data-selection-part]"),
      led: () => ticks().filter((tick) => label.dataset.selectionAll !== "flagged" || "flagged" in tick.dataset),
    }));
    const show = () => {
      const on = ticks().filter((tick) => tick.checked).length;
      for (const { label, box, count, led } of leaders) {
        const all = led();
        const part = all.filter((tick) => tick.checked).length;
        box.checked = part > 0 && part === all.length;
        box.indeterminate = part > 0 && part < all.length;
        if (count) count.textContent = `(${part} of ${all.length})`;
        label.hidden = all.length === 0;
      }
      for (const count of form.querySelectorAll("[data-selection-count]")) count.textContent = on ? `(${on})` : "";
      for (const button of form.querySelectorAll("button")) button.disabled = on === 0;
    };
    for (const { box, led } of leaders) {
      box.addEventListener("change", () => {
        for (const tick of led()) tick.checked = box.checked;
        show();
      });
    }
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
  if (proposal && "posted" in proposal.dataset && location.hash) {
    // Going to the place that the address names takes the focus away, as late as the page is whole.
    addEventListener("load", () => setTimeout(() => goOnIn(document.getElementById(location.hash.slice(1)))));
  }
  for (const map of document.querySelectorAll("[data-map]")) askByName(map);
  const selection = document.querySelector("form[data-selection]");
  if (selection) countTicks(selection);
})();
