/**
 * What a name for people may hold: what is seen is what is there. Refused are characters that cannot be seen or that turn
 * the text around (controls, formats, bidi controls, fillers, variation selectors, the empty Braille pattern), every
 * white space but the space, private and unpaired ones, and a mark without a letter in front of it.
 */
const DISPLAY_NAME =
  /^(?!\p{M})(?:[^\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]| )*$/u;

/** Whether a text can be shown as somebody's name without deceiving. It may be empty. */
export function isDisplayName(text: string): boolean {
  return DISPLAY_NAME.test(text) && text.trim() === text;
}
