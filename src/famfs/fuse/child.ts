/**
 * Process: the serving child, where supervisors look for it that were started before it moved to
 * serving/child.ts. On a plain host they outlive the program they were started from: without this file,
 * they could not replace a child any more once that has been upgraded.
 */
import './serving/child.ts';
