/* JSON in colours while it is typed, and in words where it stops being JSON. Without it, the field is a plain one. */
(() => {
  "use strict";
  // No record is as long; colouring it would be slow.
  const LONGEST_COLOURED = 50_000;
  const CHECK_AFTER = 700;
  const LONGEST_SHOWN = 24;
  const DEEPEST = 60;

  // Strings end with their line, closed or not: so each line has colours of its own.
  const LINES = /[^\n]*\n|[^\n]+$/g;
  const TOKEN = /("(?:[^"\\\n]|\\.)*"?)(\s*:)?|-?\d[\d.eE+-]*|\b(?:true|false|null)\b/g;

  const span = (...inside) => {
    const made = document.createElement("span");
    made.append(...inside);
    return made;
  };

  const coloured = (line) => {
    const made = span();
    let end = 0;
    for (const { 0: found, 1: string = "", 2: colon, index } of line.matchAll(TOKEN)) {
      const token = span(string || found);
      token.className = colon ? "jk" : string ? "js" : "jn";
      made.append(line.slice(end, index), token);
      end = index + token.textContent.length;
    }
    made.append(line.slice(end));
    return made;
  };

  const isJson = (text) => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };

  const shown = (piece) => {
    if (!piece.trim()) return "an unusual space";
    return piece.length > LONGEST_SHOWN ? `${piece.slice(0, LONGEST_SHOWN)}…` : piece;
  };

  const scalarFault = (piece) => {
    if (isJson(piece)) return "";
    if (!piece.startsWith('"')) return `${shown(piece)} is no value`;
    return isJson(`${piece}"`) ? `${shown(piece)} is not closed` : `${shown(piece)} has a backslash too few or too many`;
  };

  const PIECE = /[ \t\n\r]*("(?:[^"\\\n]|\\.)*"?|[^\s"{}[\],:]+|[^])?/y;

  // What keeps a text from being a record: the place and the words; nothing if it may be one.
  const faultOf = (text) => {
    let at = 0;
    let piece = "";
    let before = "";
    const open = [];
    const step = () => {
      before = piece;
      piece = PIECE.exec(text)[1] ?? "";
      at = PIECE.lastIndex - piece.length;
    };
    const fault = (words) => {
      if (piece) return { at, words };
      return { at: open.at(-1), words: `${text[open.at(-1)]} is never closed` };
    };
    const scalar = () => {
      const words = scalarFault(piece);
      return words ? fault(words) : step();
    };
    const member = () => {
      if (!piece.startsWith('"')) return fault(`a name in double quotes has to be here, not ${shown(piece)}`);
      const wrong = scalar();
      if (wrong) return wrong;
      if (piece !== ":") return fault(`a colon is missing before ${shown(piece)}`);
      step();
      return value();
    };
    const several = (one, closing) => {
      if (open.push(at) > DEEPEST) return fault("it is nested too deeply");
      step();
      while (piece !== closing || before === ",") {
        if (piece === closing) return fault(`no comma may come before ${piece}`);
        const wrong = one();
        if (wrong) return wrong;
        if (piece === ",") step();
        else if ("}]".includes(piece) && piece !== closing) return fault(`${piece} does not close ${text[open.at(-1)]}`);
        else if (piece !== closing) return fault(`a comma is missing before ${shown(piece)}`);
      }
      open.pop();
      return step();
    };
    const value = () => {
      if (piece === "{") return several(member, "}");
      if (piece === "[") return several(value, "]");
      return "}],:".includes(piece) ? fault(`a value is missing before ${piece}`) : scalar();
    };
    PIECE.lastIndex = 0;
    step();
    if (piece !== "{") return { at, words: "a record begins with {" };
    return value() ?? (piece ? fault(`nothing may follow the record, but ${shown(piece)} does`) : undefined);
  };

  // Lays the colours behind a field that is see-through then, and keeps both alike.
  const layColours = (editor, field) => {
    const layer = document.createElement("pre");
    layer.className = "typed json-layer";
    layer.setAttribute("aria-hidden", "true");
    layer.translate = false;
    // It scrolls with the field, and is nothing to stop at with the Tab key.
    layer.tabIndex = -1;
    field.before(layer);
    let lines = [];

    const scroll = () => {
      layer.scrollTop = field.scrollTop;
    };
    const colour = () => {
      const isShort = field.value.length <= LONGEST_COLOURED;
      const next = isShort ? (field.value.match(LINES) ?? []) : [];
      const shorter = Math.min(lines.length, next.length);
      let head = 0;
      while (head < shorter && lines[head] === next[head]) head += 1;
      let tail = 0;
      while (tail < shorter - head && lines.at(-1 - tail) === next.at(-1 - tail)) tail += 1;
      const gone = [...layer.children].slice(head, lines.length - tail);
      const after = layer.children[lines.length - tail] ?? null;
      for (const each of gone) each.remove();
      const made = document.createDocumentFragment();
      made.append(...next.slice(head, next.length - tail).map(coloured));
      layer.insertBefore(made, after);
      lines = next;
      editor.classList.toggle("is-coloured", isShort);
      scroll();
    };
    field.addEventListener("input", colour);
    field.addEventListener("scroll", scroll);
    return { colour, line: (number) => layer.children[number] };
  };

  for (const editor of document.querySelectorAll("[data-json-editor]")) {
    const field = editor.querySelector("textarea");
    const { colour, line } = layColours(editor, field);
    const told = document.getElementById("json-fault");
    const check = () => {
      const { value } = field;
      const fault = value.trimStart().startsWith("{") && isJson(value) ? undefined : faultOf(value);
      const number = fault ? value.slice(0, fault.at).split("\n").length : 0;
      for (const each of editor.querySelectorAll(".is-wrong")) each.classList.remove("is-wrong");
      line(number - 1)?.classList.add("is-wrong");
      return fault ? `Line ${number}: ${fault.words}.` : "";
    };
    let timer;
    field.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => { told.textContent = check(); }, CHECK_AFTER);
    });
    // Not before: browsers may fill the field in again. What is wrong with it by then, its page has said.
    addEventListener("pageshow", () => {
      colour();
      check();
    });
  }
})();
