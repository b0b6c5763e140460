/**
 * The first letters of the first and last word, for the square beside a name; a number has none.
 *
 * @param {string} name
 * @returns {string}
 */
export function initials(name) {
  const firsts = name
    .split(/\s+/)
    .map((word) => [...word][0] ?? "")
    .filter((letter) => /\p{L}/u.test(letter));
  return [firsts[0] ?? "", firsts.length > 1 ? firsts[firsts.length - 1] : ""]
    .join("")
    .toUpperCase();
}
