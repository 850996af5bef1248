/* The outputs of the layers, one below the other: feature maps as small pictures, lists of numbers as cells. */

import { between, theme } from "./pixels.js";
import { bytes } from "./service.js";
import { number, sayInside as say } from "./words.js";

const FEW = 16; // numbers that are written out
const GAP = 3; // pixels between two maps
const TILE = { few: 72, many: 44 }; // pixels of the side of a map, about
const MANY = 32; // maps
const CELL = 8; // pixels of the side of a number among many

export class Stages {
  #list;
  #shown = [];

  constructor(list) {
    this.#list = list;
    new ResizeObserver(() => this.paint()).observe(list);
  }

  show(stages) {
    const same = stages.length === this.#shown.length && stages.every((stage, i) => stage.name === this.#shown[i].stage.name);
    if (!same) this.#shown = stages.map((stage, i) => this.#item(stage, i, stages.length));
    this.#list.replaceChildren(...this.#shown.map((each) => each.item));
    stages.forEach((stage, i) => Object.assign(this.#shown[i], { stage, levels: bytes(stage.levels) }));
    this.paint();
  }

  paint() {
    const colors = theme();
    for (const { stage, levels, canvas, cells } of this.#shown) {
      if (!levels) continue;
      const value = (i) => stage.low + ((stage.high - stage.low) * levels[i]) / 255;
      const most = Math.max(Math.abs(stage.low), Math.abs(stage.high)) || 1;
      const shade = (v) =>
        stage.low < 0
          ? between(colors.paper, v > 0 ? colors.for : colors.against, Math.abs(v) / most)
          : between(colors.paper, colors.ink, v / most);
      if (canvas) paintMaps(canvas, stage.shape, (i) => shade(value(i)));
      cells?.forEach((cell, i) => {
        cell.style.setProperty("--v", (value(i) / most).toFixed(3));
        cell.classList.toggle("negative", value(i) < 0);
        cell.lastChild.textContent = number.format(Math.round(value(i) * 100) / 100);
      });
    }
  }

  #item(stage, index, count) {
    const item = document.createElement("li");
    item.className = "stage";
    const make = (tag, className, parent, text) => {
      const made = parent.appendChild(document.createElement(tag));
      made.className = className;
      made.textContent = text;
      return made;
    };
    const { kind, settings, shape, parameters } = stage;
    const size = shape.length === 3 ? { maps: shape[2], width: shape[1], height: shape[0] } : { maps: shape[0] };
    const words = make("div", "stage-words", item, "");
    make("h3", "", words, say(`kind.${kind}`) || kind);
    make("p", "", words, say(`says.${kind}`, { ...settings, ...size }) || say("says.other"));
    if (index === count - 1 && shape.length === 1) make("p", "", words, say("last"));
    const facts = [shape.length === 3 ? say("maps", size) : say("numbers", { count: number.format(shape[0]) })];
    if (parameters) facts.push(say("parameters", { count: number.format(parameters) }));
    make("p", "small quiet", words, facts.join(" · "));
    const shown = { item, stage, canvas: null, cells: null };
    if (kind === "dropout") return shown; // it changes nothing in use
    const picture = make("div", "stage-maps", item, "");
    if (shape.length === 1 && shape[0] <= FEW) {
      const list = make("ol", "cells", picture, "");
      shown.cells = Array.from({ length: shape[0] }, (_, k) => {
        const cell = make("li", "cell", list, "");
        make("span", "cell-name", cell, k);
        make("span", "cell-bar", cell, "");
        make("span", "cell-value", cell, "");
        return cell;
      });
    } else {
      shown.canvas = make("canvas", "maps", picture, "");
      shown.canvas.setAttribute("role", "img");
      shown.canvas.setAttribute("aria-label", facts[0]);
      make("p", "scale small quiet", picture, stage.low < 0 ? say("scale_both") : say("scale_positive"));
    }
    return shown;
  }
}

/** Draw maps side by side in as many rows as needed; a list of numbers is a list of maps of one pixel. */
function paintMaps(canvas, shape, color) {
  const room = canvas.parentElement.clientWidth;
  if (room === 0) return; // not shown
  const [height, width, maps] = shape.length === 3 ? shape : [1, 1, shape[0]];
  const scale = shape.length === 1 ? CELL : Math.max(1, Math.round((maps > MANY ? TILE.many : TILE.few) / width));
  const gap = shape.length === 1 ? 1 : GAP;
  const [across, down] = [width * scale + gap, height * scale + gap];
  const columns = Math.max(1, Math.min(maps, Math.floor((room + gap) / across)));
  const strip = document.createElement("canvas"); // all maps, one below the other, a pixel for each number
  strip.width = width;
  strip.height = height * maps;
  const context = strip.getContext("2d");
  const image = context.createImageData(strip.width, strip.height);
  for (let i = 0; i < width * height * maps; i++) {
    const [red, green, blue] = color(i);
    image.data.set([red, green, blue, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
  canvas.width = columns * across - gap;
  canvas.height = Math.ceil(maps / columns) * down - gap;
  canvas.style.width = `${canvas.width}px`;
  const target = canvas.getContext("2d");
  target.imageSmoothingEnabled = false;
  for (let map = 0; map < maps; map++) {
    const [x, y] = [(map % columns) * across, Math.floor(map / columns) * down];
    target.drawImage(strip, 0, map * height, width, height, x, y, width * scale, height * scale);
  }
}
