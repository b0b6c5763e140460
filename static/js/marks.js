/**
 * A name with the typed letters marked, as nodes: names are hostile text and never become markup.
 *
 * Accents and case don't count; each typed word is marked where a word of the name begins with it.
 *
 * @param {string} name
 * @param {string} text
 * @returns {(string | HTMLElement)[]}
 */
export function markMatches(name, text) {
  const sought = text.split(/\s+/).map(folded).filter(Boolean);
  return name.split(/(\s+|-)/).flatMap((part) => {
    const length = Math.max(
      0,
      ...sought.filter((start) => folded(part).startsWith(start)).map((start) => start.length),
    );
    if (!length) {
      return [part];
    }
    const mark = document.createElement("mark");
    mark.textContent = [...part].slice(0, length).join("");
    return [mark, [...part].slice(length).join("")];
  });
}

/**
 * The words of a text as the server folds them, for finding people.
 *
 * @param {string} text
 */
export function foldedWords(text) {
  return folded(text)
    .replaceAll("œ", "oe")
    .replaceAll("æ", "ae")
    .replaceAll("ß", "ss")
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);
}

/**
 * A text without accents and case.
 *
 * @param {string} text
 */
export function folded(text) {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll("ł", "l")
    .replaceAll("ø", "o");
}
