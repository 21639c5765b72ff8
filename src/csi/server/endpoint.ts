/** The socket file of an endpoint such as `unix:///run/famfs-csi/csi.sock`, or undefined where it is none. */
export function socketPath(endpoint: string): string | undefined {
  const match = /^unix:(?:\/\/)?(\/.+)$/.exec(endpoint);
  return match?.[1];
}
