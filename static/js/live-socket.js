const FIRST_DELAY = 500;
const LONGEST_DELAY = 15_000;
const SIGNED_OUT = 4401;
const ANSWER_LIMIT = 5_000;

/** Something came over the live socket; `message` is parsed. */
export class LiveMessage extends Event {
  /** @param {{ type: string }} message */
  constructor(message) {
    super("message");
    this.message = message;
  }
}

/**
 * The page's one WebSocket: events come in, commands never go out.
 *
 * It connects again by itself, ever more slowly and with jitter, and then asks for what it watched
 * and for what it missed. Events: `message` ({@link LiveMessage}), `open`, `resync` when the server
 * had to drop messages, `lost` (once, when a connection is gone or never came) and `signed-out`,
 * after which it stays closed.
 */
export class LiveSocket extends EventTarget {
  #url;
  #random;
  #age;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {string[]} */
  #watched = [];
  #attempts = 0;
  #wasOpen = false;
  #isLost = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #proof;

  /**
   * @param {string} url
   * @param {() => number} [random] for the jitter, 0 to 1
   * @param {() => number} [age] for how many ms the page has been loading
   */
  constructor(url, random = Math.random, age = () => performance.now()) {
    super();
    this.#url = url;
    this.#random = random;
    this.#age = age;
  }

  /** Connect, unless that is done or under way. */
  start() {
    if (this.#socket) {
      return;
    }
    clearTimeout(this.#retry);
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    // A socket that was given up may still speak, or end, long after its successor began.
    const isCurrent = () => this.#socket === socket;
    socket.addEventListener("open", () => isCurrent() && this.#opened());
    socket.addEventListener("message", (event) => isCurrent() && this.#received(event.data));
    socket.addEventListener("close", (event) => isCurrent() && this.#closed(event.code));
  }

  /**
   * Ask to hear of these people and nobody else.
   *
   * @param {string[]} users ids
   */
  watch(users) {
    this.#watched = users;
    this.#send({ type: "watch", users });
  }

  /**
   * Find out whether the connection still lives, after sleep or a change of network: ask for
   * everything again, and connect anew when nothing comes.
   */
  prove() {
    if (this.#socket?.readyState !== WebSocket.OPEN) {
      this.#attempts = 0;
      this.start();
      return;
    }
    this.#send({ type: "resync" });
    clearTimeout(this.#proof);
    this.#proof = setTimeout(() => this.#drop(), ANSWER_LIMIT);
  }

  #opened() {
    const isAgain = this.#wasOpen;
    this.#wasOpen = true;
    this.#isLost = false;
    this.dispatchEvent(new Event("open"));
    if (isAgain) {
      this.#send({ type: "watch", users: this.#watched });
      this.#send({ type: "resync" });
    } else {
      // What happened since the server drew the page is told as well.
      this.#send({ type: "watch", users: this.#watched, age: this.#age() / 1000 });
    }
  }

  /** @param {string} data */
  #received(data) {
    clearTimeout(this.#proof);
    const message = JSON.parse(data);
    if (message.type === "error") {
      return; // Who is turned away for it must not come back at once.
    }
    this.#attempts = 0;
    if (message.type === "resync") {
      this.#send({ type: "resync" });
      this.dispatchEvent(new Event("resync"));
      return;
    }
    this.dispatchEvent(new LiveMessage(message));
  }

  /** @param {number} code */
  #closed(code) {
    this.#socket = null;
    clearTimeout(this.#proof);
    if (code === SIGNED_OUT) {
      this.dispatchEvent(new Event("signed-out"));
      return;
    }
    if (!this.#isLost) {
      this.#isLost = true;
      this.dispatchEvent(new Event("lost"));
    }
    const ceiling = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#attempts);
    this.#attempts += 1;
    this.#retry = setTimeout(() => this.start(), ceiling * (0.5 + this.#random() / 2));
  }

  /** A dead connection may take minutes to close: do not wait for it. */
  #drop() {
    this.#socket?.close();
    this.#closed(1006);
  }

  /** @param {object} message */
  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify(message));
    }
  }
}
