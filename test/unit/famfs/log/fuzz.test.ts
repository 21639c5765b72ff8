import { fuzzedReplay } from '../../../fuzz/suite.ts';

fuzzedReplay(4_000);
