const STORED = "bluetel-shortcuts";

/**
 * The page's keys: Ctrl or ⌘ K opens the dialer, Ctrl Shift A, H and X answer, hold and hang up,
 * `?` shows the list. They may be switched off in this browser.
 *
 * @param {{ dial: () => void, answer: () => void, hold: () => void, hangUp: () => void }} commands
 */
export function listenForShortcuts(commands) {
  const isOn = document.querySelector("#keys-on");
  if (isOn instanceof HTMLInputElement) {
    isOn.checked = localStorage.getItem(STORED) !== "off";
    isOn.addEventListener("change", () => {
      localStorage.setItem(STORED, isOn.checked ? "on" : "off");
    });
  }
  document.addEventListener("keydown", (event) => {
    const isWanted = !(isOn instanceof HTMLInputElement) || isOn.checked;
    const command = isWanted && !event.isComposing && !event.altKey && commandOf(event, commands);
    if (command) {
      event.preventDefault();
      command();
    }
  });
}

/**
 * @param {KeyboardEvent} event
 * @param {Parameters<typeof listenForShortcuts>[0]} commands
 * @returns {(() => void) | undefined}
 */
function commandOf(event, commands) {
  const key = event.key.toLowerCase();
  const isCommand = event.ctrlKey || event.metaKey;
  if (isCommand && !event.shiftKey) {
    return key === "k" ? commands.dial : undefined;
  }
  if (isCommand) {
    const withShift = { a: commands.answer, h: commands.hold, x: commands.hangUp };
    return key === "a" || key === "h" || key === "x" ? withShift[key] : undefined;
  }
  return key === "?" && !isTyping(event.target) ? showList : undefined;
}

function showList() {
  const list = document.querySelector("#keys");
  if (list instanceof HTMLElement && !list.matches(":popover-open")) {
    list.showPopover();
  }
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable]");
}
