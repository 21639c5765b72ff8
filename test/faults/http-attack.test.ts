import { AttackedPlane, httpAttacks } from './attacked-plane.ts';
import type { HttpAttack } from './http-attack.ts';

const EACH_MS = 8000;

describe('a data plane whose HTTP endpoint is attacked', () => {
  let plane: AttackedPlane;

  before(async () => {
    plane = await AttackedPlane.start();
  });

  after(() => plane.stop());

  for (const [shape, { title }] of Object.entries(httpAttacks)) {
    it(`is found alive all the time, and stays as small as it was, by ${title}`, async () => {
      await plane.stand(shape as HttpAttack, EACH_MS);
    });
  }
});
