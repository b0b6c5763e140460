/**
 * The two marks by which a page tells a script what to fill in: `data-slot` on a text, `data-when`
 * on what shows in some phases only.
 */

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
 * @param {ParentNode} root
 * @param {...string} phases what is the case now
 */
export function showPhase(root, ...phases) {
  for (const part of root.querySelectorAll("[data-when]")) {
    const names = (part.getAttribute("data-when") ?? "").split(" ");
    part.toggleAttribute("hidden", !phases.some((phase) => names.includes(phase)));
  }
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
