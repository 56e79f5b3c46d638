const UNITS = {1000: ["B", "kB", "MB", "GB", "TB"], 1024: ["B", "KiB", "MiB", "GiB", "TiB"]};

/**
 * "1.5 kB"; with the base 1024 as limits are written, "256 MiB".
 * @param {number} bytes
 * @param {1000 | 1024} [base]
 */
export function sizeOf(bytes, base = 1000) {
	const units = UNITS[base];
	const unit = Math.min(Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(base) + 1e-9), units.length - 1);
	const number = bytes / base ** unit;
	return `${number >= 100 ? Math.round(number) : Number(number.toPrecision(3))} ${units[unit]}`;
}
