/** Sum of four integers. */
// @ts-ignore: decorator
@inline export function sumOfFour(four: v128): i32 {
  return (
    i32x4.extract_lane(four, 0) + i32x4.extract_lane(four, 1) + i32x4.extract_lane(four, 2) + i32x4.extract_lane(four, 3)
  )
}
