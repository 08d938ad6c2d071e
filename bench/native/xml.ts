/**
 * A document of this package as libmujoco 2 reads it, with the same physics.
 *
 * - `size memory` is unknown to it, and only reserves memory.
 * - `ccd_iterations` is a newer name of `mpr_iterations`: iterations of libccd for one pair of geoms.
 * - `nativeccd` chooses between libccd and a collision detector of MuJoCo's own, which version 2 does not have; documents
 *   here disable it, so that libccd remains on both sides.
 * - Margins are doubled: version 2 takes the larger of two geoms' margins, MuJoCo 3 adds them.
 * @throws Error for a document that enables `nativeccd`: version 2 cannot do the same work
 */
export function publishedXml(xml: string): string {
  if (/ nativeccd="(?!disable")/.test(xml))
    throw new Error('libmujoco 2 has no native collision detection to enable')
  return xml
    .replace(/<size memory="[^"]*"\/>/, '')
    .replace(/ ccd_iterations=/g, ' mpr_iterations=')
    .replace(/ nativeccd="disable"/g, '')
    .replace(/<geom [^>]*>/g, (geom) =>
      geom.replace(/ margin="([^"]+)"/, (_, margin: string) => ` margin="${2 * Number(margin)}"`),
    )
}
