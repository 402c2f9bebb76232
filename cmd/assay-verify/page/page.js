'use strict';

// The page: it takes the files, hands them to the program, and shows what comes back, as text.
(() => {
  const element = (id) => document.getElementById(id);
  const status = (text) => { element('status').textContent = text; };
  const files = { bundle: null, trust: null, ceremony: null };
  const maxBytes = 64 << 20; // what any file may have at most; the program looks again
  let ready = false;
  let chosen = 0; // counts how often the choice of files changed

  const refresh = () => { element('verify').disabled = !(ready && files.bundle && files.trust); };

  // start unpacks the program, which is in the page as base64, and runs it. It then waits in assayVerify.
  const start = async () => {
    const program = element('program');
    const text = atob(program.textContent);
    const packed = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) packed[i] = text.charCodeAt(i);
    const wasm = unpackLZMA(packed, Number(program.dataset.size));
    const go = new Go();
    const { instance } = await WebAssembly.instantiate(wasm, go.importObject);
    go.run(instance).finally(() => {
      ready = false;
      status('The verifier ended. Load the page anew.');
      refresh();
    });
    ready = true;
    status('Ready.');
    refresh();
  };

  // take keeps a file in its place, and shows the names of files that were dropped.
  const take = (which, file) => {
    files[which] = file;
    forget();
    refresh();
  };

  // An export and a transcript are JSON that begins with the version of its format, and a bundle is not.
  const placeOf = async (file) => {
    const head = await file.slice(0, 64).text();
    if (!head.startsWith('{')) return 'bundle';
    return head.includes('"assay-transcript/') ? 'ceremony' : 'trust';
  };

  const drop = async (dropped) => {
    for (const file of dropped) {
      const which = await placeOf(file);
      const list = new DataTransfer();
      list.items.add(file);
      element(which).files = list.files;
      take(which, file);
    }
  };

  const forget = () => {
    chosen++;
    element('verdict').hidden = element('after').hidden = true;
    element('verdict').replaceChildren();
    for (const id of ['save-html', 'save-text', 'save-json']) {
      if (element(id).href) URL.revokeObjectURL(element(id).href);
      element(id).removeAttribute('href');
    }
  };

  const make = (name, text, className) => {
    const e = document.createElement(name);
    if (text !== undefined) e.textContent = text;
    if (className) e.className = className;
    return e;
  };

  const section = (s) => {
    const out = make('section');
    out.append(make('h2', s.title));
    const table = make('table');
    for (const r of s.rows || []) {
      const label = make('th', r.label);
      label.scope = 'row';
      const row = table.insertRow();
      row.append(label, make('td', r.text, r.exact ? 'exact' : r.tone));
    }
    const notes = make('ul');
    for (const n of s.notes || []) notes.append(make('li', n));
    for (const part of [table, notes]) if (part.childElementCount) out.append(part);
    return out;
  };

  const show = (answer) => {
    const d = answer.document;
    element('verdict').replaceChildren(make('h1', d.title), make('p', d.answer, 'answer ' + d.tone), ...d.lead.map((p) => make('p', p)), ...d.sections.map(section));
    const save = (id, text, type) => { element(id).href = URL.createObjectURL(new Blob([text], { type })); };
    save('save-html', answer.html, 'text/html');
    save('save-text', answer.text, 'text/plain');
    save('save-json', JSON.stringify(answer.verdict) + '\n', 'application/json');
    element('verdict').hidden = element('after').hidden = false;
  };

  const read = async (file) => {
    if (file.size > maxBytes) throw new Error(`${file.name} has ${file.size} bytes, at most ${maxBytes}`);
    return new Uint8Array(await file.arrayBuffer());
  };

  const verify = async () => {
    forget();
    const before = chosen;
    element('verify').disabled = true;
    status('Verifying …');
    try {
      const [bundle, trust, ceremony] = [await read(files.bundle), await read(files.trust), files.ceremony && await read(files.ceremony)];
      await new Promise((resolve) => setTimeout(resolve)); // so that the status is drawn first
      if (chosen !== before) throw new Error('another choice was made meanwhile');
      const begun = performance.now();
      const answer = JSON.parse(assayVerify(bundle, trust, ceremony, element('ledger').value.trim()));
      if (answer.error) throw new Error(answer.error);
      show(answer);
      status(`Verified in ${Math.round(performance.now() - begun)} ms.`);
    } catch (e) {
      status('Not checked: ' + e.message);
    }
    refresh();
  };

  for (const which of Object.keys(files)) element(which).addEventListener('change', () => take(which, element(which).files[0] || null));
  element('ledger').addEventListener('input', forget);
  element('desk').addEventListener('submit', (e) => { e.preventDefault(); verify(); });
  element('print').addEventListener('click', () => print());
  for (const kind of ['dragover', 'dragleave', 'drop']) {
    addEventListener(kind, (e) => {
      e.preventDefault();
      element('desk').classList.toggle('over', kind === 'dragover');
      if (kind === 'drop') drop([...e.dataTransfer.files]).catch((e) => status('What was dropped cannot be read: ' + e.message));
    });
  }
  start().catch((e) => status('The verifier cannot be started: ' + e.message));
})();
