export { createFakeClock, type FakeClock } from './fake-clock.ts';
export {
  runTransportSuite,
  type TransportSuiteOptions,
  type TransportUnderTest,
} from './transport-suite.ts';
