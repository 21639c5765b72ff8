import { fuzzedReplay } from '../fuzz/suite.ts';

fuzzedReplay(1_000_000);
