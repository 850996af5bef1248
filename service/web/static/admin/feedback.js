// The gallery of feedback by keyboard, and without loading the page again. Everything here works without it, too.

const form = document.querySelector("form[data-keys]");
const words = JSON.parse(document.getElementById("words").textContent);
const status = document.getElementById("status");

/** Let a screen reader say it, and show nothing. */
function say(key, values = {}) {
  status.textContent = words[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** All tiles that are left, in reading order. */
const tiles = () => [...form.querySelectorAll(".tile")];

/** How many tiles stand beside each other, by where they are. */
function columns() {
  const all = tiles();
  const next = all.findIndex((tile) => tile.offsetTop > all[0].offsetTop);
  return next < 1 ? all.length : next;
}

/** Only one tile is reached by Tab; arrows go on from there. */
function focusOn(tile) {
  for (const each of tiles()) each.tabIndex = each === tile ? 0 : -1;
  tile.focus();
}

function accept(tile) {
  tile.classList.add("accepted");
  tile.querySelector("[data-accepted]").hidden = false;
  const button = tile.querySelector("button[formaction$='/accept']");
  if (button === document.activeElement) focusOn(tile);
  button.hidden = true;
  say("accepted");
}

function remove(tile) {
  const all = tiles();
  const place = all.indexOf(tile);
  const next = all[place + 1] ?? all[place - 1];
  const within = tile.contains(document.activeElement);
  tile.remove();
  count();
  if (!next) {
    say("empty");
    document.getElementById("main").focus();
    return;
  }
  if (tiles().every((each) => each.tabIndex !== 0)) next.tabIndex = 0;
  if (within) focusOn(next);
  say("discarded");
}

/** Ask once more before something is discarded for good; `leaving` is the tile that waits for the second time. */
let leaving = null;

function keep(aloud = false) {
  if (!leaving) return;
  leaving.classList.remove("leaving");
  leaving.querySelector("button[formaction$='/discard']").textContent = words.discard;
  leaving = null;
  if (aloud) say("kept");
}

function askOnceMore(tile) {
  keep();
  leaving = tile;
  tile.classList.add("leaving");
  tile.querySelector("button[formaction$='/discard']").textContent = words.again_button;
  say("again");
}

async function decide(tile, action) {
  if (tile.getAttribute("aria-busy") === "true") return;
  if (action === "discard" && leaving !== tile) return askOnceMore(tile);
  keep();
  tile.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(`/feedback/${tile.dataset.item}/${action}`, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams({ csrf: form.elements.csrf.value, sure: "1" }),
    });
    if (answer.status === 401) return location.reload();
    if (answer.ok) return action === "accept" ? accept(tile) : remove(tile);
    say("failed", { said: (await answer.json()).error });
  } catch {
    say("failed", { said: words.unreachable });
  } finally {
    tile.removeAttribute("aria-busy");
  }
}

/** What is selected, said beside the buttons that are for it. */
function count() {
  const boxes = [...form.querySelectorAll("input[name=item]")];
  const chosen = boxes.filter((box) => box.checked).length;
  form.querySelector("[data-count]").textContent = chosen ? words.selected.replace("{count}", chosen) : "";
  const all = document.getElementById("all");
  all.checked = chosen > 0 && chosen === boxes.length;
  all.indeterminate = chosen > 0 && chosen < boxes.length;
}

const MOVES = { ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: () => -columns(), ArrowDown: () => columns() };

function pressed(event) {
  const tile = event.target.closest(".tile");
  if (!tile || event.ctrlKey || event.metaKey || event.altKey) return;
  const move = MOVES[event.key];
  if (move) {
    const all = tiles();
    const next = all[all.indexOf(tile) + move()];
    if (next) focusOn(next);
  } else if (event.key === "Escape") {
    keep(true);
  } else if (event.key === "a" || event.key === "A") {
    decide(tile, "accept");
  } else if ((event.key === "d" || event.key === "D") && !event.repeat) {
    decide(tile, "discard");
  } else if (event.key === "x" || event.key === "X") {
    tile.querySelector("input[name=item]").click();
  } else {
    return;
  }
  event.preventDefault();
}

function begin() {
  document.querySelector("[data-help]").hidden = false;
  document.querySelector("[data-all]").hidden = false;
  for (const tile of tiles()) tile.tabIndex = -1;
  tiles()[0].tabIndex = 0;
  form.addEventListener("keydown", pressed);
  form.addEventListener("focusin", (event) => {
    const tile = event.target.closest(".tile");
    if (leaving && tile !== leaving) keep();
  });
  form.addEventListener("change", (event) => {
    if (event.target.id === "all") {
      for (const box of form.querySelectorAll("input[name=item]")) box.checked = event.target.checked;
    }
    count();
  });
  form.addEventListener("submit", (event) => {
    const action = /\/(accept|discard)$/.exec(event.submitter?.getAttribute("formaction") ?? "")?.[1];
    if (!action) return; // what is to become of a selection takes a page of its own
    event.preventDefault();
    decide(event.submitter.closest(".tile"), action);
  });
  count();
}

if (form) begin();
