// A recording as a WAV file: http://soundfile.sapp.org/doc/WaveFormat/

/** @param {Int16Array[]} pieces mono samples @param {number} rate hertz @returns {Blob} */
export function wav(pieces, rate) {
  const bytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  const header = new DataView(new ArrayBuffer(44));
  ascii(header, 0, "RIFF");
  header.setUint32(4, 36 + bytes, true);
  ascii(header, 8, "WAVEfmt ");
  header.setUint32(16, 16, true);
  header.setUint16(20, 1, true);
  header.setUint16(22, 1, true);
  header.setUint32(24, rate, true);
  header.setUint32(28, rate * 2, true);
  header.setUint16(32, 2, true);
  header.setUint16(34, 16, true);
  ascii(header, 36, "data");
  header.setUint32(40, bytes, true);
  return new Blob([header, ...pieces], { type: "audio/wav" });
}

function ascii(view, at, text) {
  [...text].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
}
