// Before anything is painted: dark or light as the system has it, unless the person has chosen.
(() => {
  const root = document.documentElement;
  if (root.dataset.theme !== 'auto') return;
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    root.dataset.bsTheme = dark.matches ? 'dark' : 'light';
    dispatchEvent(new Event('themechange'));
  };
  dark.addEventListener('change', apply);
  apply();
})();
