/* The words of the page in the reader's language, and numbers as that language writes them. */

const tables = {};

function table(id) {
  tables[id] ??= JSON.parse(document.getElementById(id).textContent);
  return tables[id];
}

const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

/** The words of a key, with values put in. */
export const say = (key, values = {}) => filled(table("words")[key], values);

/** Whether there are words for a key. */
export const known = (key) => key in table("words");

/** The same for the section that looks inside the network; "" if there are none. */
export const sayInside = (key, values = {}) => filled(table("inside-words")[key] ?? "", values);

const language = document.documentElement.lang;
const whole = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat(language, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** A probability in percent. Near 1, a tenth of a percent is a difference, and nothing is certain. */
export function share(p) {
  if (p < 0.005) return `<${whole.format(0.01)}`;
  if (p < 0.99) return whole.format(p);
  return p < 0.9995 ? tenths.format(Math.floor(p * 1000) / 1000) : `>${tenths.format(0.999)}`;
}

export const number = new Intl.NumberFormat(language);
