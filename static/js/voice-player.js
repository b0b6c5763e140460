/** @import { Api } from "./api.js" */

import { peaksOf } from "./peaks.js";
import { inPlay } from "./times.js";

const SPEEDS = [1, 1.25, 1.5, 2, 0.75];
const BARS = 96;
/** Longer recordings are not fetched whole for the sake of a drawing. */
const DRAWN_UP_TO = 180;
const SVG = "http://www.w3.org/2000/svg";

/**
 * `<voice-player>`: one's own controls over the browser's `<audio>`, which stays without a script.
 *
 * Space on the button plays and pauses, the arrow keys on the track move by a second. A message
 * counts as heard once it has begun to play.
 *
 * @param {Api} api
 */
export function voicePlayer(api) {
  return class VoicePlayer extends HTMLElement {
    #detach = new AbortController();
    #isSeeking = false;
    /** @type {SVGRectElement[]} */
    #bars = [];

    connectedCallback() {
      this.#detach = new AbortController();
      const { signal } = this.#detach;
      const audio = this.#audio;
      audio.controls = false;
      audio.hidden = true;
      for (const name of ["play", "track", "times"]) {
        this.#part(name)?.removeAttribute("hidden");
      }
      this.#drawBars(new Array(BARS).fill(0));
      this.#part("play")?.addEventListener("click", () => this.#toggle(), { signal });
      this.#part("speed")?.addEventListener("click", () => this.#nextSpeed(), { signal });
      this.#seek?.addEventListener("input", () => this.#drag(), { signal });
      this.#seek?.addEventListener("change", () => this.#drop(), { signal });
      for (const name of ["play", "pause", "ended"]) {
        audio.addEventListener(name, () => this.#showPlaying(), { signal });
      }
      audio.addEventListener("playing", () => this.#began(), { once: true, signal });
      audio.addEventListener("timeupdate", () => this.#showTime(), { signal });
      audio.addEventListener("loadedmetadata", () => this.#showLength(), { signal });
      audio.addEventListener("error", () => this.#fail(), { signal });
    }

    disconnectedCallback() {
      this.#detach.abort();
      this.#audio.pause();
    }

    get #audio() {
      return /** @type {HTMLAudioElement} */ (this.querySelector("audio"));
    }

    get #seek() {
      return /** @type {HTMLInputElement | null} */ (this.#part("seek"));
    }

    get #length() {
      const { duration } = this.#audio;
      return Number.isFinite(duration) && duration > 0 ? duration : Number(this.dataset.seconds);
    }

    /** @param {string} name */
    #part(name) {
      return this.querySelector(`[data-part="${name}"]`);
    }

    async #toggle() {
      const audio = this.#audio;
      if (!audio.paused) {
        audio.pause();
        return;
      }
      this.#part("error")?.setAttribute("hidden", "");
      if (audio.error) {
        audio.load();
      }
      try {
        await audio.play();
      } catch (error) {
        // Pausing at once is nobody's failure.
        if (!(error instanceof DOMException && error.name === "AbortError")) {
          this.#fail();
        }
      }
    }

    #nextSpeed() {
      const audio = this.#audio;
      const next = (SPEEDS.indexOf(audio.playbackRate) + 1) % SPEEDS.length;
      audio.playbackRate = SPEEDS[next] ?? 1;
      const button = this.#part("speed");
      if (button instanceof HTMLElement) {
        const speed = audio.playbackRate.toLocaleString(document.documentElement.lang);
        button.textContent = `${speed} ×`;
        button.setAttribute("aria-label", (button.dataset.label ?? "").replace("{speed}", speed));
      }
    }

    #drag() {
      this.#isSeeking = true;
      this.#show(Number(this.#seek?.value ?? 0));
    }

    #drop() {
      this.#isSeeking = false;
      const at = Number(this.#seek?.value ?? 0);
      const audio = this.#audio;
      if (audio.readyState === HTMLMediaElement.HAVE_NOTHING) {
        audio.addEventListener("loadedmetadata", () => this.#jump(at), { once: true });
        audio.load();
      } else {
        this.#jump(at);
      }
    }

    /** @param {number} seconds */
    #jump(seconds) {
      this.#audio.currentTime = Math.min(seconds, this.#length);
    }

    /** The first sound: the message is heard, and there is something to draw. */
    async #began() {
      const { message, seconds } = this.dataset;
      if (this.hasAttribute("data-new") && message) {
        try {
          await api.markHeard(message);
          this.removeAttribute("data-new");
          this.#showHeard();
        } catch {
          // It stays new, which is what the phone system still says.
        }
      }
      if (Number(seconds) <= DRAWN_UP_TO) {
        this.#drawBars(await peaksOf(this.#audio.currentSrc, BARS));
        this.#showTime();
      }
    }

    #showHeard() {
      const card = this.closest("[data-message]:not(voice-player)");
      card?.querySelector('[data-part="new"]')?.remove();
      for (const form of card?.querySelectorAll("[data-when]") ?? []) {
        form.toggleAttribute("hidden", form.getAttribute("data-when") !== "heard");
      }
    }

    #showPlaying() {
      const button = this.#part("play");
      const isPlaying = !this.#audio.paused && !this.#audio.ended;
      if (button instanceof HTMLElement) {
        const { play, pause } = button.dataset;
        button.setAttribute("aria-label", (isPlaying ? pause : play) ?? "");
        const use = button.querySelector("use");
        const sprite = document.documentElement.dataset.sprite ?? "";
        use?.setAttribute("href", `${sprite}#${isPlaying ? "i-pause" : "i-play"}`);
      }
      this.#showTime();
    }

    #showLength() {
      this.#seek?.setAttribute("max", String(Math.max(1, Math.ceil(this.#length))));
      this.#showTime();
    }

    #showTime() {
      if (!this.#isSeeking) {
        this.#show(this.#audio.currentTime);
      }
    }

    /** @param {number} at seconds */
    #show(at) {
      const seek = this.#seek;
      const text = (seek?.dataset.text ?? "")
        .replace("{now}", inPlay(at))
        .replace("{all}", inPlay(this.#length));
      const time = this.#part("time");
      if (time) {
        time.textContent = text;
      }
      if (seek) {
        if (!this.#isSeeking) {
          seek.value = String(Math.round(at));
        }
        seek.setAttribute("aria-valuetext", text);
      }
      const share = Math.min(1, at / (this.#length || 1));
      for (const [index, bar] of this.#bars.entries()) {
        bar.classList.toggle("player__bar--heard", (index + 1) / BARS <= share);
      }
      const head = this.#part("wave")?.querySelector("line");
      head?.setAttribute("x1", `${share * 100}%`);
      head?.setAttribute("x2", `${share * 100}%`);
    }

    /** @param {number[]} peaks 0 to 1, one for each bar */
    #drawBars(peaks) {
      const wave = this.#part("wave");
      this.#bars = peaks.map((peak, index) => {
        const bar = document.createElementNS(SVG, "rect");
        const height = 3 + peak * 42;
        bar.setAttribute("class", "player__bar");
        bar.setAttribute("x", `${(index * 100) / BARS}%`);
        bar.setAttribute("y", String((48 - height) / 2));
        bar.setAttribute("width", "0.6%");
        bar.setAttribute("height", String(height));
        bar.setAttribute("rx", "1");
        return bar;
      });
      const head = document.createElementNS(SVG, "line");
      head.setAttribute("class", "player__head");
      head.setAttribute("y1", "0");
      head.setAttribute("y2", "48");
      wave?.replaceChildren(...this.#bars, head);
    }

    #fail() {
      this.#part("error")?.removeAttribute("hidden");
      this.#showPlaying();
    }
  };
}
