// Draws what deliveries and pulls cost as curves: one panel for each share of reads below the window, views per post across, cost up, both
// in powers of ten.

export type CostPoint = {
  readonly ratio: string
  readonly deepShare: number
  readonly delivered: number
  readonly pulled: number
  readonly byCost: number
}

const PANEL = { width: 250, height: 190, left: 52, top: 44, gap: 34 } as const
const WAYS = [
  { name: 'deliver all', key: 'delivered', color: '#b5533c', dash: '6 4' },
  { name: 'pull all', key: 'pulled', color: '#3c6eb5', dash: '2 3' },
  { name: 'by cost', key: 'byCost', color: '#2f7d4f', dash: '' },
] as const
/** What costs less is drawn at the bottom. */
const LEAST_US = 1_000

/** An SVG document. Costs are microseconds. */
export function costCurves(title: string, points: readonly CostPoint[]): string {
  const shares = [...new Set(points.map(({ deepShare }) => deepShare))]
  const ratios = [...new Set(points.map(({ ratio }) => ratio))]
  const costs = points.flatMap((p) => [p.delivered, p.pulled, p.byCost])
  const firstDecade = Math.floor(Math.log10(Math.max(LEAST_US, Math.min(...costs))))
  const leastUs = 10 ** firstDecade
  const decades = Math.max(1, Math.ceil(Math.log10(Math.max(...costs) / leastUs)))
  const width = PANEL.left + shares.length * (PANEL.width + PANEL.gap)
  const height = PANEL.top + PANEL.height + 66
  const panels = shares.map((share, nth) => {
    const x = PANEL.left + nth * (PANEL.width + PANEL.gap)
    const of = ratios.flatMap(
      (ratio) => points.find((p) => p.ratio === ratio && p.deepShare === share) ?? [],
    )
    return panel(of, { x, share, leastUs, decades, ratios })
  })
  const legend = WAYS.map(({ name, color, dash }, i) => {
    const x = PANEL.left + i * 130
    const y = height - 14
    return (
      `<line x1="${x}" y1="${y - 4}" x2="${x + 30}" y2="${y - 4}" stroke="${color}" stroke-width="2" stroke-dasharray="${dash}"/>` +
      `<text x="${x + 36}" y="${y}">${name}</text>`
    )
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#333">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${PANEL.left}" y="18" font-size="14">Cost of deliveries and pulls: ${title}</text>`,
    ...panels,
    ...legend,
    '</svg>',
    '',
  ].join('\n')
}

function panel(
  points: readonly CostPoint[],
  of: {
    readonly x: number
    readonly share: number
    readonly leastUs: number
    readonly decades: number
    readonly ratios: readonly string[]
  },
): string {
  const { x, share, leastUs, decades, ratios } = of
  const bottom = PANEL.top + PANEL.height
  const xOf = (i: number): number => x + (i * PANEL.width) / Math.max(1, ratios.length - 1)
  const yOf = (us: number): number =>
    bottom - (Math.log10(Math.max(us, leastUs) / leastUs) / decades) * PANEL.height
  const grid = Array.from({ length: decades + 1 }, (_, decade) => {
    const y = bottom - (decade / decades) * PANEL.height
    const ms = (leastUs * 10 ** decade) / 1_000
    const label = ms >= 1_000 ? `${ms / 1_000} s` : `${ms} ms`
    return (
      `<line x1="${x}" y1="${y}" x2="${x + PANEL.width}" y2="${y}" stroke="#ddd"/>` +
      `<text x="${x - 6}" y="${y + 4}" text-anchor="end" font-size="10">${label}</text>`
    )
  })
  const ticks = ratios.map(
    (ratio, i) =>
      `<text x="${xOf(i)}" y="${bottom + 16}" text-anchor="middle" font-size="10">${ratio}</text>`,
  )
  const curves = WAYS.map(({ key, color, dash }) => {
    const path = points.map((point, i) => `${xOf(i).toFixed(1)},${yOf(point[key]).toFixed(1)}`)
    return `<polyline points="${path.join(' ')}" fill="none" stroke="${color}" stroke-width="2" stroke-dasharray="${dash}"/>`
  })
  return [
    `<text x="${x}" y="${PANEL.top - 8}">${share * 100} % of reads below the window</text>`,
    ...grid,
    ...ticks,
    ...curves,
  ].join('\n')
}
