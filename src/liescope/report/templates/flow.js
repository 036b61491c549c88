// Flows of vector fields and images moved along them, as the Python package computes them:
// (exp(tX) I)(p) = I(phi_{-t}(p)), linear interpolation, one background colour outside.
const liescope = (() => {
  "use strict";
  const FAR = 16; // points are held inside this box, as in Python

  const bytes = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

  // exp of [[a, b, c], [d, e, f], [0, 0, 0]] by scaling and squaring, its first two rows.
  const affineMap = (m) => {
    const product = (p, q) => [
      p[0] * q[0] + p[1] * q[3], p[0] * q[1] + p[1] * q[4], p[0] * q[2] + p[1] * q[5] + p[2],
      p[3] * q[0] + p[4] * q[3], p[3] * q[1] + p[4] * q[4], p[3] * q[2] + p[4] * q[5] + p[5],
    ];
    const size = Math.max(...m.map(Math.abs), 1e-300);
    const halvings = Math.max(0, Math.ceil(Math.log2(size)) + 6);
    const small = m.map((value) => value / 2 ** halvings);
    // Taylor's polynomial of order 8 by Horner; the last row of every factor but the identity is zero.
    let map = [1, 0, 0, 0, 1, 0];
    for (let k = 8; k >= 1; k--) {
      const [a, b, c, d, e, f] = small.map((value) => value / k);
      map = [
        1 + a * map[0] + b * map[3], a * map[1] + b * map[4], a * map[2] + b * map[5] + c,
        d * map[0] + e * map[3], 1 + d * map[1] + e * map[4], d * map[2] + e * map[5] + f,
      ];
    }
    for (let k = 0; k < halvings; k++) map = product(map, map);
    return map;
  };

  // A function of x, y that writes the velocity into `out`.
  const polynomialVelocity = (field) => {
    const degree = field.degree;
    const tables = [field.u, field.v].map((values) => {
      const table = Array.from({ length: degree + 1 }, (_, q) => new Float64Array(degree - q + 1));
      field.exponents.forEach(([p, q], i) => { table[q][p] = values[i]; });
      return table;
    });
    return (x, y, out) => {
      for (let c = 0; c < 2; c++) {
        let total = 0;
        for (let q = degree; q >= 0; q--) {
          const row = tables[c][q];
          let value = row[degree - q];
          for (let p = degree - q - 1; p >= 0; p--) value = value * x + row[p];
          total = total * y + value;
        }
        out[c] = total;
      }
    };
  };

  const tableVelocity = (field) => {
    const { side, half } = field;
    const table = new Float32Array(bytes(field.data).buffer);
    const scale = (side - 1) / (2 * half);
    const inside = (value) => Math.min(Math.max((value + half) * scale, 0), side - 1);
    return (x, y, out) => {
      const column = inside(x), row = inside(y);
      const j = Math.min(Math.floor(column), side - 2), i = Math.min(Math.floor(row), side - 2);
      const s = column - j, r = row - i;
      for (let c = 0; c < 2; c++) {
        const at = 2 * (i * side + j) + c;
        const low = table[at] * (1 - s) + table[at + 2] * s;
        const high = table[at + 2 * side] * (1 - s) + table[at + 2 * side + 2] * s;
        out[c] = low * (1 - r) + high * r;
      }
    };
  };

  // Moves points (x, y, x, y, ...) by time t along the field, in place.
  const makeFlow = (generator) => {
    const field = generator.field;
    if (field.degree !== undefined && field.degree <= 1) {
      const row = (values) => [values[1] || 0, values[2] || 0, values[0]];
      return (points, t) => {
        const map = affineMap([...row(field.u), ...row(field.v)].map((value) => value * t));
        for (let i = 0; i < points.length; i += 2) {
          const x = points[i], y = points[i + 1];
          points[i] = map[0] * x + map[1] * y + map[2];
          points[i + 1] = map[3] * x + map[4] * y + map[5];
        }
      };
    }
    const velocity = field.degree === undefined ? tableVelocity(field) : polynomialVelocity(field);
    const reach = Math.abs(generator.reach / generator.unitPerT);
    const hold = (value) => Math.min(Math.max(value, -FAR), FAR);
    return (points, t) => {
      const steps = Math.max(2, Math.ceil((generator.stepsToEnd * Math.abs(t)) / reach));
      const h = t / steps;
      const k1 = [0, 0], k2 = [0, 0], k3 = [0, 0], k4 = [0, 0];
      for (let i = 0; i < points.length; i += 2) {
        let x = points[i], y = points[i + 1];
        for (let step = 0; step < steps; step++) {
          velocity(x, y, k1);
          velocity(x + (h / 2) * k1[0], y + (h / 2) * k1[1], k2);
          velocity(x + (h / 2) * k2[0], y + (h / 2) * k2[1], k3);
          velocity(x + h * k3[0], y + h * k3[1], k4);
          x = hold(x + (h / 6) * (k1[0] + 2 * (k2[0] + k3[0]) + k4[0]));
          y = hold(y + (h / 6) * (k1[1] + 2 * (k2[1] + k3[1]) + k4[1]));
        }
        points[i] = x;
        points[i + 1] = y;
      }
    };
  };

  const pixelCentres = (grid) => {
    const points = new Float64Array(2 * grid.rows * grid.columns);
    const dx = (2 * grid.halfWidth) / grid.columns, dy = (2 * grid.halfHeight) / grid.rows;
    for (let i = 0, at = 0; i < grid.rows; i++) {
      for (let j = 0; j < grid.columns; j++) {
        points[at++] = (j - (grid.columns - 1) / 2) * dx;
        points[at++] = ((grid.rows - 1) / 2 - i) * dy;
      }
    }
    return points;
  };

  // Where every pixel's content comes from, as (column, row).
  const origins = (grid, flow, t) => {
    const points = pixelCentres(grid);
    if (t !== 0) flow(points, -t);
    const dx = (2 * grid.halfWidth) / grid.columns, dy = (2 * grid.halfHeight) / grid.rows;
    for (let k = 0; k < points.length; k += 2) {
      points[k] = points[k] / dx + (grid.columns - 1) / 2;
      points[k + 1] = (grid.rows - 1) / 2 - points[k + 1] / dy;
    }
    return points;
  };

  // One image (rows x columns x channels bytes) seen through the origins, as RGBA.
  const resample = (image, channels, grid, places, background, rgba) => {
    const { rows, columns } = grid;
    for (let k = 0; k < rows * columns; k++) {
      const column = places[2 * k], row = places[2 * k + 1];
      const j = Math.floor(column), i = Math.floor(row);
      const s = column - j, r = row - i;
      for (let c = 0; c < channels; c++) {
        const value = (y, x) =>
          x >= 0 && y >= 0 && x < columns && y < rows ? image[(y * columns + x) * channels + c] : background[c];
        const low = value(i, j) * (1 - s) + value(i, j + 1) * s;
        const high = value(i + 1, j) * (1 - s) + value(i + 1, j + 1) * s;
        rgba[4 * k + c] = low * (1 - r) + high * r;
      }
      if (channels === 1) rgba[4 * k + 1] = rgba[4 * k + 2] = rgba[4 * k];
      rgba[4 * k + 3] = 255;
    }
  };

  return { bytes, makeFlow, origins, resample };
})();
