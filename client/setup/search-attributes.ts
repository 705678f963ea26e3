import { isGrpcServiceError } from '@temporalio/client';
import proto from '@temporalio/proto';

import { searchAttributes } from '../../model/control.js';
import type { TemporalSession } from '../with-temporal.js';

const { INDEXED_VALUE_TYPE_KEYWORD: keyword, INDEXED_VALUE_TYPE_DATETIME: datetime } =
  proto.temporal.api.enums.v1.IndexedValueType;

/** Name and type of each search attribute that workflows set. */
export const wantedAttributes: Readonly<Record<string, proto.temporal.api.enums.v1.IndexedValueType>> = {
  [searchAttributes.source]: keyword,
  [searchAttributes.vendor]: keyword,
  [searchAttributes.date]: datetime,
  [searchAttributes.finality]: keyword,
};

/** gRPC's codes. */
const alreadyExists = 6;
const refusals = [7, 12, 16];

export interface AttributeState {
  readonly missing: readonly string[];
  /** There, with a type that workflows cannot use. */
  readonly wrong: readonly string[];
}

export async function readAttributes({ connection, namespace }: TemporalSession): Promise<AttributeState> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const known = customAttributes ?? {};
  const names = Object.keys(wantedAttributes);
  return {
    missing: names.filter((name) => known[name] === undefined),
    wrong: names.filter((name) => known[name] !== undefined && known[name] !== wantedAttributes[name]),
  };
}

/** Registers the attributes that are missing and returns their names. Others may do the same at the same time. */
export async function registerAttributes(session: TemporalSession): Promise<readonly string[]> {
  const { connection, namespace } = session;
  try {
    const { missing, wrong } = await readAttributes(session);
    if (wrong.length > 0) throw new Error(wrongTypes(wrong, namespace));
    for (const name of missing) {
      await connection.operatorService
        .addSearchAttributes({ namespace, searchAttributes: { [name]: wantedAttributes[name] ?? keyword } })
        .catch((error: unknown) => {
          if (!isGrpcServiceError(error) || (error.code as number) !== alreadyExists) throw error;
        });
    }
    return missing;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new Error(byHand(namespace, (error as Error).message), { cause: error });
  }
}

/** Temporal Cloud does not offer this to clients, and other servers may not allow it. */
export function isRefusal(error: unknown): boolean {
  return isGrpcServiceError(error) && refusals.includes(error.code);
}

export function byHand(namespace: string, why: string): string {
  const list = Object.entries(wantedAttributes).map(
    ([name, type]) => `${name} (${type === keyword ? 'Keyword' : 'Datetime'})`,
  );
  return (
    `Temporal does not let us register search attributes in namespace '${namespace}' (${why}). Register these by hand, ` +
    `on Temporal Cloud in the namespace's settings, elsewhere with 'temporal operator search-attribute create': ` +
    `${list.join(', ')}.`
  );
}

export function wrongTypes(names: readonly string[], namespace: string): string {
  return (
    `Namespace '${namespace}' has search attributes of these names with another type: ${names.join(', ')}. Remove them ` +
    `there, or use another namespace.`
  );
}
