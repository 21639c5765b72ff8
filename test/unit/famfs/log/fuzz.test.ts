import { fuzzedReplay } from '../../../fuzz/suite.ts';

fuzzedReplay(2_000);
