// A window on a column of rows, however many: only those that are seen, and some around them, are elements.
//
// The place is a row and how many pixels of it are above the window, not a scroll offset: a browser's longest element ends at some
// hundred thousand rows, and wrapped rows have no height before they are drawn. The box is as tall as the rows would be, or as tall
// as may be; a small step of its scroll bar moves by as many pixels, a large one to that share of all rows.
const HEIGHT = 20, MARGIN = 20, TALLEST = 8_000_000, LEAP = 3, CALM_MS = 150;

export class View {
  // `make(row)` gives a row's element, `waiting` where its line is not there yet; `look(from, to)` is told which rows are seen;
  // `onfollow()` is called when the reader leaves the end or comes back to it.
  constructor(box, { make, look, onfollow }) {
    Object.assign(this, { box, make, look, onfollow, first: 0, end: 0, row: 0, above: 0, following: true, wrapped: false, placed: 0, average: HEIGHT });
    const part = (name) => Object.assign(document.createElement("div"), { className: name });
    [this.canvas, this.pane, this.rows] = ["canvas", "pane", "rows"].map(part);
    this.canvas.append(this.pane);
    this.pane.append(this.rows);
    this.elements = new Map();
    box.addEventListener("scroll", (event) => this.scrolled(event.timeStamp - this.turned < CALM_MS), { passive: true });
    box.addEventListener("wheel", (event) => this.turn(event), { passive: true });
    box.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.soon()).observe(box);
  }
  // Other rows altogether.
  reset() {
    this.forget();
    Object.assign(this, { first: 0, end: 0, row: 0, above: 0, placed: 0, average: HEIGHT });
    this.canvas.style.minWidth = "";
  }
  // All rows are drawn anew: they look otherwise now.
  forget() {
    this.elements.clear();
    this.rows.replaceChildren();
    this.soon();
  }
  resize(first, end) {
    if (first === this.first && end === this.end) return;
    Object.assign(this, { first, end });
    this.soon();
  }
  wrap(on) {
    Object.assign(this, { wrapped: on, average: HEIGHT });
    this.canvas.style.minWidth = "";
    this.rows.classList.toggle("wrap", on);
    this.forget();
  }
  follow(on) {
    if (on === this.following) return;
    this.following = on;
    this.onfollow();
    this.soon();
  }
  // A row comes to where it is seen with some rows before it.
  reveal(row) {
    Object.assign(this, { row, above: -Math.round(this.box.clientHeight * 0.4) });
    this.follow(false);
    this.soon();
  }
  // About how many rows are drawn at the end.
  get rowsAtEnd() {
    return Math.ceil(this.box.clientHeight / HEIGHT) + MARGIN + 1;
  }
  // The rows that are in the window as a whole.
  get seen() {
    const from = this.row + (this.above > 0 ? 1 : 0);
    return [from, Math.max(from + 1, this.rowAt(this.box.clientHeight))];
  }
  soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.draw();
    });
  }
  key(event) {
    if (event.target !== this.box || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "End") this.follow(true);
    else if (event.key === "Home") {
      Object.assign(this, { row: this.first, above: 0 });
      this.follow(false);
    } else return;
    event.preventDefault();
    this.soon();
  }
  // How far the scroll bar goes, and how many pixels all rows take.
  get reach() {
    return Math.max(this.box.scrollHeight - this.box.clientHeight, 0);
  }
  get content() {
    return (this.end - this.first) * this.average;
  }
  get exact() {
    return !this.wrapped && this.content <= TALLEST;
  }
  // `turned`: by a wheel, which is a small step however far it goes.
  scrolled(turned) {
    const { scrollTop, clientHeight } = this.box, step = scrollTop - this.placed;
    if (Math.abs(step) < 1) return; // sideways, or where we put it ourselves
    this.placed = scrollTop;
    if (step < 0 && this.following) this.follow(false);
    if (this.exact) Object.assign(this, { row: this.first + Math.floor(scrollTop / HEIGHT), above: scrollTop % HEIGHT });
    else if (turned || Math.abs(step) <= LEAP * clientHeight) this.above += step;
    else {
      const away = (scrollTop / (this.reach || 1)) * Math.max(this.content - clientHeight, 0);
      Object.assign(this, { row: this.first + Math.floor(away / this.average), above: 0 });
      if (scrollTop >= this.reach - 1) this.row = this.end;
    }
    this.draw();
    if (step > 0 && this.atEnd) this.follow(true);
    this.calmLater();
  }
  // Setting the bar would end what the wheel has begun: that waits until it is calm.
  turn(event) {
    this.turned = event.timeStamp;
    this.calmLater();
  }
  calmLater() {
    clearTimeout(this.calm);
    this.calm = setTimeout(() => this.place(1), CALM_MS);
  }
  height(row) {
    return this.wrapped ? (this.elements.get(row)?.offsetHeight ?? this.average) : HEIGHT;
  }
  // The row that is so many pixels below the upper edge.
  rowAt(pixels) {
    let { row } = this;
    for (let at = -this.above; row < this.end && (at += this.height(row)) <= pixels;) row++;
    return row;
  }
  draw() {
    const { clientHeight } = this.box;
    if (!clientHeight || this.end === this.first) return;
    if (!this.canvas.isConnected) this.box.replaceChildren(this.canvas); // what the worker rendered stood there until now
    // Unless all heights are known, what is drawn first tells what must be drawn.
    for (let turn = this.wrapped ? 2 : 1; turn > 0; turn--) {
      this.settle(clientHeight);
      this.fill(clientHeight);
    }
    this.settle(clientHeight);
    const [from, to] = this.drawn, hidden = (this.wrapped ? (this.elements.get(this.row)?.offsetTop ?? 0) : (this.row - from) * HEIGHT) + this.above;
    this.rows.style.transform = `translateY(${-Math.round(hidden)}px)`;
    const drawn = this.wrapped ? this.rows.offsetHeight : (to - from) * HEIGHT;
    this.room = [hidden, Math.max(drawn - hidden - clientHeight, 0)];
    this.pane.style.height = `${Math.min(clientHeight, this.content)}px`;
    if (!this.wrapped && this.rows.offsetWidth > this.canvas.offsetWidth) this.canvas.style.minWidth = `${this.rows.offsetWidth}px`;
    this.canvas.style.height = `${Math.min(this.content, TALLEST)}px`;
    this.place(this.following || this.exact ? 1 : clientHeight / 2);
    this.look(...this.drawn);
  }
  // The upper edge is within a row that is there, and below the last row nothing is empty.
  settle(clientHeight) {
    if (this.following || this.row > this.end) Object.assign(this, { row: this.end, above: 0 });
    while (this.above < 0 && this.row > this.first) this.above += this.height(--this.row);
    for (let size; this.row < this.end && this.above >= (size = this.height(this.row)); this.row++) this.above -= size;
    if (this.row < this.first) Object.assign(this, { row: this.first, above: 0 });
    let below = -this.above, { row } = this;
    for (; row < this.end && below < clientHeight; row++) below += this.height(row);
    this.atEnd = row === this.end && below <= clientHeight;
    if (below < clientHeight) {
      this.above -= clientHeight - below;
      while (this.above < 0 && this.row > this.first) this.above += this.height(--this.row);
    }
    this.above = Math.max(this.above, 0);
  }
  // Elements for the rows in the window and around it; those that stand already stay, and a selection in them.
  fill(clientHeight) {
    const from = Math.max(this.row - MARGIN, this.first), to = Math.min(this.row + Math.ceil((this.above + clientHeight) / HEIGHT) + MARGIN, this.end);
    for (const [row, element] of this.elements) {
      if (row >= from && row < to) continue;
      element.remove();
      this.elements.delete(row);
    }
    let next = this.rows.firstChild;
    for (let row = from; row < to; row++) {
      const there = this.elements.get(row), element = there && !there.waiting ? there : this.make(row);
      this.elements.set(row, element);
      if (there && there !== element) {
        if (next === there) next = there.nextSibling;
        there.remove();
      }
      if (element === next) next = next.nextSibling;
      else this.rows.insertBefore(element, next);
    }
    this.drawn = [from, to];
    if (this.wrapped && to > from) this.average = Math.max(this.rows.offsetHeight / (to - from), HEIGHT);
  }
  // The scroll bar to where it belongs, unless it is less than `tolerance` away.
  place(tolerance) {
    const part = this.wrapped ? this.above / (this.height(this.row) || 1) : this.above / HEIGHT;
    const away = (this.row - this.first + part) * this.average, most = this.content - this.box.clientHeight;
    const [over, under] = this.room, share = most > 0 ? (away / most) * this.reach : 0;
    // The bar must not end before the rows that stand there already.
    const wanted = this.atEnd ? this.reach : this.exact ? away : Math.max(Math.min(share, this.reach - under), Math.min(over, this.reach / 2));
    const { scrollTop } = this.box, stuck = (scrollTop < 1 && over > 0) || (scrollTop > this.reach - 1 && under > 0);
    if (stuck || Math.abs(wanted - scrollTop) >= tolerance) this.box.scrollTop = wanted;
    this.placed = this.box.scrollTop;
  }
}
