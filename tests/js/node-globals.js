// What browsers have as globals and node 18 has not yet; imported before the tests.
import { webcrypto } from "node:crypto";

globalThis.crypto ??= /** @type {Crypto} */ (webcrypto);
