/* The page on which people draw: its parts put together. */

import { Answer, sentence } from "./answer.js";
import { Paper } from "./canvas.js";
import { drawByItself, offerExamples } from "./examples.js";
import { Feedback } from "./feedback.js";
import { Photo, acceptPictures } from "./pictures.js";
import { Reader } from "./reader.js";
import { Refusal, ask } from "./service.js";
import { Several, withMargin } from "./several.js";
import { connectTools } from "./tools.js";
import { say } from "./words.js";

const element = (id) => document.getElementById(id);
const canvas = element("ink");

let source; // of the picture: the paper or a photo, either with picture(), part(box) and size
let player = new AbortController(); // of an example that draws itself
let explanations = 0; // counts what is explained: an older one is not shown
let wished = null; // the digit whose explanation somebody has asked for
let found = []; // the digits of a picture with several

/* ---- What the reader says ---- */

const reader = new Reader({
  picture: () => (source === paper && paper.empty ? null : source.picture()),

  answered(outcome, final) {
    notice(null);
    explanations++;
    wished = null;
    found = [];
    several.hide();
    if (outcome.reading && !(outcome.reading.rejected && !final)) answer.show(outcome.reading);
    else if (final && !maySeveral(outcome)) answer.refuse(outcome.refusal);
    feedback.about(final ? { picture: source.picture.bind(source), reply_id: outcome.reading?.reply_id } : null);
    if (final && maySeveral(outcome)) lookForSeveral(outcome);
    else if (final) answer.announce();
  },

  rested(outcome, signal) {
    if (found.length === 0 && outcome.reading) explain(wished ?? outcome.reading.digit, signal);
    inside?.rested(answer.pixels);
  },

  away: () => notice(say("away")),
  busy: () => notice(say("busy")),
  back: () => notice(null),
});

/** Whether a picture may show several digits: photos may, and drawings whose strokes stand apart or make no sense. */
const maySeveral = ({ reading }) => source !== paper || !reading || reading.rejected || paper.groups > 1;

async function lookForSeveral(outcome) {
  const from = source;
  const version = reader.version;
  let digits = [];
  try {
    ({ digits } = await ask("/page/many", await from.picture()));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
  if (version !== reader.version) return; // the picture has changed meanwhile
  const read = digits.filter((each) => !each.rejected).length;
  if (from.size && (read >= 2 || (read === 1 && !outcome.reading))) {
    found = digits;
    several.show(found, from.size, 0);
    choose(0);
  } else if (!outcome.reading) {
    answer.refuse(outcome.refusal);
  }
  answer.announce();
}

/** One of several digits is chosen: everything on the page is about it. */
async function choose(index) {
  const from = source;
  const mine = ++explanations;
  several.chosen(index);
  answer.several(found, index);
  const picture = () => from.part(withMargin(found[index].box, from.size));
  feedback.about({ picture, reply_id: found[index].reply_id });
  try {
    const explanation = await ask("/page/explain", await picture());
    if (mine === explanations) {
      answer.explain(explanation);
      inside?.rested(answer.pixels);
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error; // the answer is shown without it
  }
}

async function explain(digit, signal = null) {
  const mine = ++explanations;
  try {
    const explanation = await ask(`/page/explain?digit=${digit}`, answer.seen ?? (await source.picture()), signal);
    if (mine === explanations) answer.explain(explanation);
  } catch (error) {
    if (!(error instanceof Refusal) && !signal?.aborted) throw error;
  }
}

/* ---- The parts ---- */

const answer = new Answer((digit) => {
  wished = digit;
  explain(digit);
});
const feedback = new Feedback();
const several = new Several(element("boxes"), choose);
const paper = (source = new Paper(canvas, {
  touched() {
    player.abort();
  },
  drawing() {
    element("hint").hidden = true;
    reader.changed();
  },
  finished() {
    buttons();
    found = [];
    several.hide();
    if (paper.empty) forget();
    else reader.settle();
  },
}));

function forget() {
  explanations++;
  reader.forget();
  element("hint").hidden = false;
  found = [];
  several.hide();
  answer.clear();
  feedback.about(null);
  notice(null);
  inside?.rested(null);
}

function notice(words) {
  element("notice").textContent = words ?? "";
}

/* ---- Pictures ---- */

async function showPhoto(file) {
  player.abort();
  const photo = await Photo.of(file);
  forget();
  source = photo;
  canvas.hidden = true;
  element("hint").hidden = true;
  element("photo").replaceChildren(...(photo.canvas ? [photo.canvas] : [document.createTextNode(file.name)]));
  photo.canvas?.setAttribute("role", "img");
  photo.canvas?.setAttribute("aria-label", say("photo", { name: file.name }));
  element("photo").hidden = false;
  element("sheet").classList.add("with-photo");
  element("drawing-tools").hidden = true;
  element("again").hidden = false;
  reader.settle();
}

/** Bring the paper back; gives whether a picture was there instead. */
function drawAgain() {
  if (source === paper) return false;
  source = paper;
  canvas.hidden = false;
  element("photo").hidden = true;
  element("sheet").classList.remove("with-photo");
  element("drawing-tools").hidden = false;
  element("again").hidden = true;
  forget();
  paper.redraw();
  element("hint").hidden = !paper.empty;
  if (!paper.empty) reader.settle();
  return true;
}

acceptPictures(element("sheet"), [element("choose"), element("take")], showPhoto);
element("again").addEventListener("click", () => {
  drawAgain();
  canvas.focus({ preventScroll: true });
});

/* ---- Buttons, keys and examples ---- */

const buttons = connectTools(paper, canvas, {
  touched: () => player.abort(),
  drawAgain,
  announce: (words) => answer.announce(words),
});

offerExamples(element("examples"), async (strokes) => {
  player.abort();
  drawAgain();
  paper.clear();
  const playing = (player = new AbortController());
  await drawByItself(paper, strokes, playing.signal);
});

/* ---- Look inside: loaded when it is opened ---- */

let inside = null;
element("open-inside").addEventListener("click", async () => {
  const open = element("open-inside").getAttribute("aria-expanded") !== "true";
  element("open-inside").setAttribute("aria-expanded", String(open));
  element("inside").hidden = !open;
  if (open && !inside) {
    const { Inside } = await import("./inside.js");
    inside = new Inside(sentence);
    inside.rested(answer.pixels);
  }
  inside?.opened(open);
});

buttons();
