import { patched } from '@temporalio/workflow';

/**
 * Whether a run may go the way on which a wish stands whatever a step ends with. What an earlier version decided is
 * replayed as it was; asked only where the ways part, so that histories without a wish stay as they are.
 */
export function wishesStand(): boolean {
  return patched('wishes-stand');
}
