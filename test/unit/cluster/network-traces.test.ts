import assert from 'node:assert/strict';
import { formerRules } from '../../cluster/network-traces.ts';

const own = '*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n';
const withDocker = '# by iptables-save\n*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n:DOCKER - [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n';
const nat = '*nat\n:PREROUTING ACCEPT [0:0]\n:DOCKER - [0:0]\nCOMMIT\n';

describe('firewall rules after Docker', () => {
  it('are those from before, in the tables that are there', () => {
    assert.equal(formerRules(own, withDocker), own);
  });

  it('are none in a table that only Docker made', () => {
    const empty = '*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n';
    assert.equal(formerRules(own, withDocker + nat), own + empty);
  });

  it('need no change where there are none', () => {
    assert.equal(formerRules('', ''), '');
  });
});
