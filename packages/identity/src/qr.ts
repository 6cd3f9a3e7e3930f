/** Contact cards as QR codes, for a terminal or as SVG. */
import QRCode from 'qrcode';
import { cardToUri } from './card.ts';

// Level M repairs 15 % of damage; the longest card is then 89 modules wide, a usual one 65 to 73.
const ERROR_CORRECTION = 'M';
// ISO/IEC 18004 wants four light modules around the code.
const QUIET_ZONE = 4;
const BLOCKS = [' ', '▀', '▄', '█'];
const BLACK_ON_WHITE = '\u001b[30;107m';
const RESET = '\u001b[0m';

/** How a QR code is drawn in a terminal. */
export interface TerminalQrOptions {
  /**
   * Draw black on white whatever the terminal's colours are; not every reader takes an inverted code.
   * @defaultValue true
   */
  readonly colors?: boolean;
}

/**
 * The QR code of a card as lines of half blocks, two rows of modules in each. The longest card takes 97 columns and 49
 * lines.
 */
export function cardToTerminalQr(card: Uint8Array, { colors = true }: TerminalQrOptions = {}): string {
  const { modules } = QRCode.create(cardToUri(card), { errorCorrectionLevel: ERROR_CORRECTION });
  const isDark = (row: number, column: number) =>
    Math.min(row, column) >= 0 && Math.max(row, column) < modules.size && modules.get(row, column) !== 0;
  const lines: string[] = [];
  for (let row = -QUIET_ZONE; row < modules.size + QUIET_ZONE; row += 2) {
    let line = '';
    for (let column = -QUIET_ZONE; column < modules.size + QUIET_ZONE; column++) {
      line += BLOCKS[(isDark(row, column) ? 1 : 0) + (isDark(row + 1, column) ? 2 : 0)];
    }
    lines.push(colors ? `${BLACK_ON_WHITE}${line}${RESET}` : line);
  }
  return `${lines.join('\n')}\n`;
}

/** The QR code of a card as an SVG document. */
export function cardToSvgQr(card: Uint8Array): Promise<string> {
  return QRCode.toString(cardToUri(card), {
    errorCorrectionLevel: ERROR_CORRECTION,
    margin: QUIET_ZONE,
    type: 'svg',
  });
}
