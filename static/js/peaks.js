/**
 * How loud a recording is along its length, for a drawing.
 *
 * @param {string} url
 * @param {number} count
 * @returns {Promise<number[]>} `count` values from 0 to 1; all 0 when it can't be read
 */
export async function peaksOf(url, count) {
  const silence = new Array(count).fill(0);
  try {
    const response = await fetch(url);
    if (!response.ok) {
      return silence;
    }
    const context = new OfflineAudioContext(1, 1, 8000);
    const sound = await context.decodeAudioData(await response.arrayBuffer());
    return loudness(sound.getChannelData(0), count);
  } catch {
    return silence;
  }
}

/**
 * @param {Float32Array} samples
 * @param {number} count
 * @returns {number[]} the loudest of each part, the loudest of all being 1
 */
export function loudness(samples, count) {
  const size = samples.length / count;
  const peaks = Array.from({ length: count }, (_, index) => {
    let peak = 0;
    const end = Math.floor((index + 1) * size);
    for (let at = Math.floor(index * size); at < end; at += 1) {
      peak = Math.max(peak, Math.abs(samples[at] ?? 0));
    }
    return peak;
  });
  const most = Math.max(...peaks);
  return most > 0 ? peaks.map((peak) => peak / most) : peaks;
}
