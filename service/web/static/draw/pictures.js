/* Pictures that are dropped, pasted, chosen or taken, in place of a drawing. */

const LARGEST = 1600; // pixels of the longer side of what is sent: enough for a page of digits
const SMALL = 512; // up to this, a picture is sent without loss

/** A picture of the user's. */
export class Photo {
  #file;
  #bitmap;
  #scale;
  #canvas = null;

  constructor(file, bitmap) {
    this.#file = file;
    this.#bitmap = bitmap;
    this.#scale = bitmap ? Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height)) : 1;
    if (bitmap) this.#canvas = drawn(bitmap, [0, 0, bitmap.width, bitmap.height], this.#scale);
  }

  /** Decode a file. One that the browser cannot decode may still be readable for the service. */
  static async of(file) {
    return new Photo(file, await createImageBitmap(file).catch(() => null));
  }

  /** A canvas that shows it, upright; null if the browser cannot. */
  get canvas() {
    return this.#canvas;
  }

  /** Width and height of what is sent; null if they are not known. */
  get size() {
    return this.#canvas && [this.#canvas.width, this.#canvas.height];
  }

  /** What is sent: the pixels alone, upright. The file itself may say where and when a photo was taken. */
  async picture() {
    return this.#canvas ? blob(this.#canvas) : this.#file;
  }

  /** A part of it, given in pixels of what is sent. */
  async part(box) {
    return blob(drawn(this.#bitmap, box.map((edge) => edge / this.#scale), this.#scale));
  }
}

function drawn(bitmap, [left, top, right, bottom], scale) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round((right - left) * scale));
  canvas.height = Math.max(1, Math.round((bottom - top) * scale));
  const context = canvas.getContext("2d", { alpha: false });
  context.fillStyle = "#fff"; // behind pictures that are transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, left, top, right - left, bottom - top, 0, 0, canvas.width, canvas.height);
  return canvas;
}

const blob = (canvas) =>
  new Promise((done) => {
    const kind = Math.max(canvas.width, canvas.height) <= SMALL ? "image/png" : "image/jpeg";
    canvas.toBlob(done, kind, 0.92);
  });

/** Call `chosen(file)` for every picture that the user brings, in whatever way. */
export function acceptPictures(target, inputs, chosen) {
  const first = (files) => files.length > 0 && chosen(files[0]);
  for (const input of inputs) {
    input.addEventListener("change", () => {
      first(input.files);
      input.value = ""; // so that the same file can be chosen again
    });
  }
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) event.preventDefault();
    first(files);
  });
  // A picture may be dropped anywhere: a browser would otherwise leave the page to show it.
  const holdsFile = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!holdsFile(event)) return;
    event.preventDefault();
    target.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) target.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    target.classList.remove("dropping");
    if (!holdsFile(event)) return;
    event.preventDefault();
    first(event.dataTransfer.files);
  });
}
