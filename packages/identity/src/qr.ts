/** Contact cards as QR codes, for a terminal or as SVG. */
import QRCode from 'qrcode';
import { cardToUri } from './card.ts';

// Level M repairs 15 % of damage; the longest card is then 89 modules wide, a usual one 65 to 73. Half blocks hold two
// rows in one line, so a terminal shows the longest in 97 columns and 49 lines.
const OPTIONS = { errorCorrectionLevel: 'M' } as const;

/** The QR code of a card as text of half blocks, to be printed with a fixed-width font. */
export function cardToTerminalQr(card: Uint8Array): Promise<string> {
  return QRCode.toString(cardToUri(card), { ...OPTIONS, type: 'utf8' });
}

/** The QR code of a card as an SVG document. */
export function cardToSvgQr(card: Uint8Array): Promise<string> {
  return QRCode.toString(cardToUri(card), { ...OPTIONS, type: 'svg' });
}
