/**
 * The two marks by which a page tells a script what to fill in: `data-slot` on a text, `data-when`
 * on what is there in some phases only.
 */

/** @type {WeakMap<ParentNode, [Element, Comment][]>} the parts of a root, and what holds their place */
const partsOf = new WeakMap();

/**
 * @param {ParentNode} root
 * @param {Record<string, string>} texts by slot; slots without a text are left alone
 */
export function fillSlots(root, texts) {
  for (const place of root.querySelectorAll("[data-slot]")) {
    const text = texts[place.getAttribute("data-slot") ?? ""];
    if (text !== undefined && place.textContent !== text) {
      place.textContent = text;
    }
  }
}

/**
 * Leave only what belongs to the present phases. The rest is taken out, not hidden: what a page
 * does not say, nobody should find in it. Slots in parts that come back are filled afterwards.
 *
 * @param {ParentNode} root
 * @param {...string} phases what is the case now
 */
export function showPhase(root, ...phases) {
  for (const [part, place] of partsIn(root)) {
    const names = (part.getAttribute("data-when") ?? "").split(" ");
    const isWanted = phases.some((phase) => names.includes(phase));
    if (isWanted && place.parentNode) {
      place.replaceWith(part);
    } else if (!isWanted && part.parentNode) {
      part.replaceWith(place);
    }
  }
}

/** @param {ParentNode} root */
function partsIn(root) {
  let parts = partsOf.get(root);
  if (!parts) {
    parts = [...root.querySelectorAll("[data-when]")].map((part) => {
      part.removeAttribute("hidden");
      return [part, document.createComment(" ")];
    });
    partsOf.set(root, parts);
  }
  return parts;
}

/**
 * A copy of what a `<template>` holds.
 *
 * @param {ParentNode} root
 * @param {string} selector of the template
 * @returns {HTMLElement}
 */
export function cloneTemplate(root, selector) {
  const template = root.querySelector(selector);
  if (!(template instanceof HTMLTemplateElement) || !template.content.firstElementChild) {
    throw new Error(`The page lacks the template ${selector}`);
  }
  const copy = document.importNode(template.content.firstElementChild, true);
  return /** @type {HTMLElement} */ (copy);
}
