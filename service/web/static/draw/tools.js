/* What is done to the paper other than by drawing with a pointer: by buttons, and by keys alone. */

import { GridCursor, middle } from "./cursor.js";
import { say } from "./words.js";

const element = (id) => document.getElementById(id);

/** Connect buttons and keys with the paper.

`others` has `touched()`, called before anything is done; `drawAgain()`, which brings the paper back and says whether it
was away; and `announce(words)`, for people who do not see the pen. Gives a function that enables the buttons which can
do something. */
export function connectTools(paper, canvas, others) {
  const doing = { undo: () => paper.undo(), redo: () => paper.redo(), clear: () => paper.clear() };
  for (const [name, action] of Object.entries(doing)) {
    element(name).addEventListener("click", () => {
      others.touched();
      action();
      if (element(name).disabled) canvas.focus({ preventScroll: true }); // a disabled button would lose the focus
    });
  }

  // The paper gets the focus from a pointer as well, and shows it only to people who use keys.
  document.addEventListener("pointerdown", () => document.body.classList.add("by-pointer"), true);
  document.addEventListener("keydown", () => document.body.classList.remove("by-pointer"), true);

  document.addEventListener("keydown", (event) => {
    const action = actionOf(event);
    if (!action) return;
    event.preventDefault();
    others.touched();
    if (!others.drawAgain()) doing[action]();
  });

  drawWithKeys(paper, canvas, others);

  return () => {
    element("undo").disabled = !paper.canUndo;
    element("redo").disabled = !paper.canRedo;
    element("clear").disabled = paper.empty;
  };
}

/** What a key does, wherever the focus is; null for nothing. */
function actionOf(event) {
  const command = event.ctrlKey || event.metaKey;
  const key = event.key.toLowerCase();
  if (event.altKey) return null;
  if (command && key === "z") return event.shiftKey ? "redo" : "undo";
  if (command && key === "y") return "redo";
  return !command && (key === "escape" || key === "delete") ? "clear" : null;
}

function drawWithKeys(paper, canvas, { touched, announce }) {
  const mark = element("cursor");
  new GridCursor(canvas, mark, {
    move(x, y) {
      if (paper.busy) paper.extend(middle(x), middle(y));
    },
    space(x, y) {
      touched();
      if (paper.busy) paper.end();
      else paper.begin(middle(x), middle(y));
      mark.classList.toggle("down", paper.busy);
      announce(say(paper.busy ? "pen_down" : "pen_up", { column: x + 1, row: y + 1 }));
    },
    erase(x, y) {
      touched();
      paper.end();
      paper.begin(middle(x), middle(y), 1, true);
      paper.end();
      mark.classList.remove("down");
    },
  });
  canvas.addEventListener("blur", () => {
    paper.end();
    mark.classList.remove("down");
  });
}
