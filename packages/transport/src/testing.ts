export {
  runTransportSuite,
  type TransportSuiteOptions,
  type TransportUnderTest,
} from './testing/transport-suite.ts';
export { createFakeClock, type FakeClock } from './time/fake-clock.ts';
