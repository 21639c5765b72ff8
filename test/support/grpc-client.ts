/** Promises instead of callbacks for unary gRPC calls of the generated clients. */
import { credentials, type Client, type ServiceError } from '@grpc/grpc-js';

/** How long a call may take before the test or demo gives up on it. */
const limitMs = 30_000;

type Callback<Response> = (error: ServiceError | null, response?: Response) => void;
/** The shortest form of a generated method: the one that types are taken from. */
type Unary<Request, Response> = (request: Request, callback: Callback<Response>) => unknown;
type WithOptions<Request, Response> = (
  request: Request,
  options: { deadline: number },
  callback: Callback<Response>,
) => unknown;

/** Calls one method; rejects with grpc's ServiceError (code, details). */
export function unary<Request, Response>(
  client: Client,
  method: Unary<Request, Response>,
  request: Request,
): Promise<Response> {
  const call = method as unknown as WithOptions<Request, Response>;
  return new Promise((resolve, reject) => {
    call.call(client, request, { deadline: Date.now() + limitMs }, (error, response) => {
      if (error) reject(error);
      else resolve(response as Response);
    });
  });
}

/** For sockets on this machine. */
export const plain = credentials.createInsecure();
