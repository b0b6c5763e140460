/** @import { Call, CallWish, LivePayload } from "./types.js" */

import { Api } from "./api.js";
import { CallActions } from "./call-actions.js";
import { callBar } from "./call-bar.js";
import { CallStore } from "./call-store.js";
import { callWishes } from "./call-wishes.js";
import { Caller } from "./caller.js";
import { contactList } from "./contact-list.js";
import { demoPhones } from "./demo-phones.js";
import { dialerBox } from "./dialer-box.js";
import { IdleWatch } from "./idle-watch.js";
import { importProgress } from "./import-progress.js";
import { incomingCalls } from "./incoming-calls.js";
import { LiveBanners } from "./live-banners.js";
import { livePart } from "./live-part.js";
import { LiveMessage, LiveSocket } from "./live-socket.js";
import { myStatus } from "./my-status.js";
import { nowSentence } from "./now-sentence.js";
import { numberField } from "./number-field.js";
import { NumberRows } from "./number-rows.js";
import { presenceBadge } from "./presence-badge.js";
import { PresenceStore } from "./presence-store.js";
import { RuleForm } from "./rule-form.js";
import { listenForShortcuts } from "./shortcuts.js";
import { teamFilter } from "./team-filter.js";
import { teamList } from "./team-list.js";
import { setClock } from "./times.js";
import { pressToggles, toggleInPlace } from "./toggles.js";
import { unreadCount } from "./unread-count.js";
import { voiceMessages } from "./voice-messages.js";
import { voicePlayer } from "./voice-player.js";
import { VoicemailNews } from "./voicemail-news.js";
import { keepWatchList } from "./watch-list.js";

/** How long a cut may last before people read as unknown: a reload of the server takes less. */
const PATIENCE = 3_000;

setClock(document.documentElement.dataset.now);

const api = new Api();
const presence = new PresenceStore();
const calls = new CallStore();
const voicemail = new VoicemailNews();
const news = new EventTarget();
const caller = new Caller(api, calls);
const actions = new CallActions(api, calls);
const socket = new LiveSocket(
  `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/live/`,
);

const CallWishes = callWishes(presence);
const CallBar = callBar(calls, actions, caller);
const DialerBox = dialerBox(caller);
customElements.define("live-banners", LiveBanners);
customElements.define("presence-badge", presenceBadge(presence));
customElements.define(
  "number-field",
  numberField((text, signal) => api.search(text, signal)),
);
customElements.define("dialer-box", DialerBox);
customElements.define("contact-list", contactList(api));
customElements.define("number-rows", NumberRows);
customElements.define("import-progress", importProgress(api));
customElements.define("call-bar", CallBar);
customElements.define("call-wishes", CallWishes);
customElements.define("incoming-calls", incomingCalls(calls, actions));
customElements.define("live-part", livePart(news));
customElements.define("rule-form", RuleForm);
customElements.define("my-status", myStatus(presence, api));
customElements.define("now-sentence", nowSentence(presence));
customElements.define("team-filter", teamFilter(presence));
customElements.define("team-list", teamList(presence));
customElements.define("unread-count", unreadCount(voicemail));
customElements.define("voice-messages", voiceMessages(voicemail));
customElements.define("voice-player", voicePlayer(api));
customElements.define("demo-phones", demoPhones(api, calls));

const bar = document.querySelector("call-bar");
const wishes = document.querySelector("call-wishes");
const dialer = document.querySelector("dialer-box");
const banners = /** @type {LiveBanners | null} */ (document.querySelector("live-banners"));

/** @type {ReturnType<typeof setTimeout> | undefined} */
let losing;
let wasLost = false;

socket.addEventListener("message", (event) => {
  if (event instanceof LiveMessage) {
    receive(/** @type {LivePayload} */ (event.message));
  }
});
socket.addEventListener("open", () => {
  clearTimeout(losing);
  banners?.lower("lost");
  readCalls();
  if (wasLost) {
    readVoicemail();
    readWishes();
    news.dispatchEvent(new Event("resync"));
  }
  wasLost = false;
});
socket.addEventListener("resync", () => {
  readCalls();
  readVoicemail();
  readWishes();
  news.dispatchEvent(new Event("resync"));
});
socket.addEventListener("lost", () => {
  wasLost = true;
  losing = setTimeout(() => {
    presence.lose();
    banners?.raise("lost");
  }, PATIENCE);
});
socket.addEventListener("signed-out", () => {
  clearTimeout(losing);
  presence.lose();
  banners?.raise("signed-out");
});

/** @param {LivePayload} message one of the kinds this page knows; others are for other pages */
function receive(message) {
  switch (message.type) {
    case "presence.snapshot":
    case "presence.changes":
      presence.receive(message);
      break;
    case "call":
      calls.receive(message.call);
      if (message.call.state === "ended") {
        news.dispatchEvent(new Event("call-ended"));
      }
      break;
    case "voicemail":
      voicemail.receive(message.unread);
      break;
    case "call_wishes":
      showWishes(message.wishes);
      break;
    case "routing":
      news.dispatchEvent(new Event("routing"));
      break;
    case "pbx":
      if (message.state === "up") {
        banners?.lower("pbx");
      } else {
        banners?.raise("pbx", message.since ?? undefined);
      }
      break;
    default:
  }
}

/** How many voice messages came while nothing arrived. */
async function readVoicemail() {
  try {
    voicemail.receive(await api.unread());
  } catch {
    // The next message, or the next page, says it.
  }
}

/** @param {CallWish[]} list all of the reader's */
function showWishes(list) {
  if (wishes instanceof CallWishes) {
    wishes.receive(list);
  }
}

/** Whom the reader waits for, as other tabs may have changed it while nothing arrived. */
async function readWishes() {
  try {
    showWishes(await api.callWishes());
  } catch {
    // The next message, or the next page, says it.
  }
}

/** What happened to the user's calls while nothing arrived, those included that the server drew. */
async function readCalls() {
  const drawn = [...document.querySelectorAll(":is(call-bar, incoming-calls) > [data-call]")];
  const ids = drawn.map((line) => line.getAttribute("data-call") ?? "");
  try {
    const unseen = calls.replace(await api.liveCalls());
    const gone = new Set([...unseen, ...ids.filter((id) => id !== "refused" && !calls.get(id))]);
    await Promise.all([...gone].map(async (id) => calls.learn(await api.call(id))));
  } catch {
    // The next connection, or the next event of a call, tries again.
  }
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.dataset.form !== "call") {
    return;
  }
  event.preventDefault();
  const number = String(new FormData(form).get("number") ?? "");
  const refusal = await caller.call(number);
  if (refusal !== undefined && bar instanceof CallBar) {
    bar.refuse(form.dataset.name || number, refusal);
  }
});

toggleInPlace("star", async (user, isOn) => {
  await api.star(user, isOn);
  pressToggles("star", (other, isPressed) => (other === user ? isOn : isPressed));
});
toggleInPlace("call-wish", async (user, isOn) => {
  if (isOn) {
    showWishes(await api.wishToCall(user));
  } else {
    await api.dropWish(user);
    await readWishes();
  }
});

/**
 * @param {string} action
 * @param {(call: Call) => boolean} fits
 */
function actOn(action, fits) {
  const call = calls.live.find(fits);
  const line = call && document.querySelector(`[data-call="${CSS.escape(call.id)}"]`);
  if (line instanceof HTMLElement) {
    actions.act(line, action);
  }
}

listenForShortcuts({
  dial: () => dialer instanceof DialerBox && dialer.open(),
  answer: () =>
    actOn("answer", (call) => call.direction === "incoming" && call.state === "ringing_self"),
  hold: () => {
    const isTalking = calls.live.some((call) => call.state === "talking");
    actOn(isTalking ? "hold" : "resume", (call) => call.state === (isTalking ? "talking" : "held"));
  },
  hangUp: () => actOn("hang-up", () => true),
});

for (const part of document.querySelectorAll("[data-script]")) {
  part.removeAttribute("hidden");
}
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) {
    socket.prove();
  }
});
addEventListener("online", () => socket.prove());
addEventListener("pageshow", (event) => {
  if (event.persisted) {
    socket.prove();
  }
});

keepWatchList(socket);
socket.start();
new IdleWatch(api, { isIdle: document.querySelector("my-status[data-idle]") !== null }).start();

// On a narrow screen the settings' pages are a strip that is wider than it: begin where one is.
document
  .querySelector(".side [aria-current]")
  ?.scrollIntoView({ block: "nearest", inline: "center" });
