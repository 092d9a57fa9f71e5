/**
 * Finds the knee of a throughput curve: the smallest concurrency that reaches `kneeShare` of the best rate. Pure.
 *
 * Model of a batching server under a closed load of n requests: a request takes a + c·n (a: the work that a batch
 * shares; c: the work of each sequence in it) until the server has no more slots or KV cache; from there on the rate is
 * constant, X, and further requests wait. By Little's law the rate is x(n) = n / (a + c·n), at most X. With c = 0 this is
 * the pair of asymptotic bounds of operational analysis (Denning and Buzen, Computing Surveys 10(3), 1978), whose
 * crossing is a·X. docs/bench.md compares the method with others.
 */

/** Rate that a level of concurrency reached. */
export interface RatePoint {
  readonly concurrency: number
  /** Requests, tokens or prompts per second: any unit that is proportional to requests. */
  readonly rate: number
}

interface Knee {
  /** Requests in flight, not rounded. Null if the rate still grows at the highest level. */
  readonly concurrency: number | null
  /** The best rate of the fitted curve in the measured range. */
  readonly bestRate: number
  /** Concurrency from which the rate is constant, because the server is full; null if none was seen. */
  readonly fullAt: number | null
  /** First level beyond the best whose rate is below `declineShare` of the best; null if there is none. */
  readonly declinesAt: number | null
  /** Root mean square of the relative differences between the fitted and the measured rates. */
  readonly fitError: number
  /** Rate of the fitted curve. */
  readonly rateAt: (concurrency: number) => number
}

/** Share of the best rate that the knee reaches. */
const kneeShare = 0.95
/** A level beyond the best one counts as a decline below this share of the best rate; it is excluded from the fit. */
const declineShare = 0.9
/** Growth that one more doubling promises, above which the best rate is not reached yet. */
const growthMin = 1.1
/** A plateau is assumed only where it reduces the squared error of the fit to this share or less. */
const plateauErrorShare = 0.9
/** Fewest levels with which a curve is fitted. */
const pointsMin = 3

/** Fit of the levels up to the plateau: a request takes `shared + own × concurrency`. */
interface Rise {
  readonly shared: number
  readonly own: number
}

interface Fit extends Rise {
  /** Infinity without a plateau. */
  readonly plateau: number
  /** Mean of the squared logarithms of fitted over measured. */
  readonly error: number
}

/** @returns null with fewer than three levels whose rate is over 0 */
export function kneeOf(points: readonly RatePoint[]): Knee | null {
  const sorted = points.filter(({ rate }) => rate > 0).sort((a, b) => a.concurrency - b.concurrency)
  if (sorted.length < pointsMin) return null
  const best = sorted.reduce((most, point) => (point.rate > most.rate ? point : most))
  const declines = sorted.find(
    ({ concurrency, rate }) => concurrency > best.concurrency && rate < declineShare * best.rate,
  )
  const used = declines === undefined ? sorted : sorted.filter(({ concurrency }) => concurrency < declines.concurrency)
  if (used.length < pointsMin) return null
  const fit = bestFit(used)
  const rateAt = (concurrency: number): number =>
    Math.min(concurrency / (fit.shared + fit.own * concurrency), fit.plateau)
  const last = used.at(-1) as RatePoint
  const bestRate = rateAt(last.concurrency)
  const grows = declines === undefined && rateAt(2 * last.concurrency) > growthMin * bestRate
  return {
    concurrency: grows ? null : reaching(fit, kneeShare * bestRate),
    bestRate,
    fullAt: Number.isFinite(fit.plateau) ? reaching(fit, fit.plateau) : null,
    declinesAt: declines?.concurrency ?? null,
    fitError: Math.sqrt(fit.error),
    rateAt,
  }
}

/** Solves n / (shared + own·n) = rate. */
function reaching({ shared, own }: Rise, rate: number): number {
  return Math.max(1, (rate * shared) / Math.max(Number.EPSILON, 1 - rate * own))
}

/** Tries every place of the plateau's beginning; the curve without a plateau wins unless one fits much better. */
function bestFit(points: readonly RatePoint[]): Fit {
  const whole = fitOf(points, riseOf(points), Number.POSITIVE_INFINITY)
  let best = whole
  for (let rising = 2; rising < points.length; rising++) {
    const flat = points.slice(rising)
    const plateau = Math.exp(flat.reduce((sum, { rate }) => sum + Math.log(rate), 0) / flat.length)
    const fit = fitOf(points, riseOf(points.slice(0, rising)), plateau)
    if (fit.error < best.error) best = fit
  }
  return best.error <= plateauErrorShare * whole.error ? best : whole
}

function fitOf(points: readonly RatePoint[], rise: Rise, plateau: number): Fit {
  const square = ({ concurrency, rate }: RatePoint): number =>
    Math.log(Math.min(concurrency / (rise.shared + rise.own * concurrency), plateau) / rate) ** 2
  return { ...rise, plateau, error: points.reduce((sum, point) => sum + square(point), 0) / points.length }
}

/** Least squares of the relative errors of a + c·n against n / rate, with a > 0 and c ≥ 0. */
function riseOf(points: readonly RatePoint[]): Rise {
  const sums = { w: 0, n: 0, nn: 0, t: 0, nt: 0 }
  for (const { concurrency: n, rate } of points) {
    const time = n / rate
    const w = 1 / (time * time)
    sums.w += w
    sums.n += w * n
    sums.nn += w * n * n
    sums.t += w * time
    sums.nt += w * n * time
  }
  const determinant = sums.w * sums.nn - sums.n * sums.n
  const own = determinant > 0 ? (sums.w * sums.nt - sums.n * sums.t) / determinant : 0
  const shared = (sums.t - own * sums.n) / sums.w
  if (own <= 0) return { shared: sums.t / sums.w, own: 0 }
  if (shared <= 0) return { shared: Number.EPSILON, own: sums.nt / sums.nn }
  return { shared, own }
}
