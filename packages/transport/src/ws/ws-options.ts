import { MAX_MESSAGE_SIZE } from './ws-message.ts';

/** Messages are never compressed: what is in them is encrypted already. */
export const WEB_SOCKET_OPTIONS: {
  readonly perMessageDeflate: boolean;
  readonly maxPayload: number;
  readonly skipUTF8Validation: boolean;
  readonly autoPong: boolean;
  readonly closeTimeout: number;
} = {
  perMessageDeflate: false,
  maxPayload: MAX_MESSAGE_SIZE,
  skipUTF8Validation: true,
  autoPong: false,
  closeTimeout: 5_000,
};
